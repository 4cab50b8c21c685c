/**
 * A picture as the warp reads it: luma at twice the frame's resolution and chroma at half of it, BT.709 in the tv range.
 * Between two pixels a warp reads a blend, which is softer than either; at one size, a slow move would make each detail
 * swell and fade as it passes from pixel to pixel. At twice the size, half of the samples being the picture's own and the
 * others interpolated over six, what is left of that is not seen.
 *
 * Each element holds four neighbours, one in each byte: right of the lowest stands the second, below it the third. One
 * read then gives all that is blended.
 */
import type { Grade } from '../storyboard/storyboard.ts'
import type { Size } from './fit.ts'
import type { FittedPicture } from './read-picture.ts'

export interface Quads {
  readonly quads: Uint32Array
  readonly columns: number
}

export interface Texture {
  /** Two elements for each pixel and side, and LUMA_PAD more on every side. */
  readonly luma: Quads
  /** One element for each two pixels and side, and CHROMA_PAD more on every side. */
  readonly blue: Quads
  readonly red: Quads
}

/** Elements beyond the picture on every side, equal to its edge: the last mesh cells reach over the frame's. Even. */
export const LUMA_PAD = 32
const CHROMA_PAD = LUMA_PAD / 4

export function createTexture({ width, height, rgb }: FittedPicture, grade: Grade): Texture {
  return textureOf({ width, height, ...toPlanes({ width, height, rgb }, grade) })
}

/** The texture of planes that are as they should be already, luma in the tv range too. Even numbers of pixels. */
export function textureOf({ width, height, luma, blue, red }: Planes & Size): Texture {
  const doubled = doubleRows(doubleRows({ width, height, values: luma }))
  const [columns, rows] = [width / 2, height / 2]
  return {
    luma: toQuads(doubled, LUMA_PAD),
    blue: toQuads({ width: columns, height: rows, values: blue }, CHROMA_PAD),
    red: toQuads({ width: columns, height: rows, values: red }, CHROMA_PAD),
  }
}

interface Plane {
  readonly width: number
  readonly height: number
  readonly values: Uint8Array
}

export interface Planes {
  readonly luma: Uint8Array
  readonly blue: Uint8Array
  readonly red: Uint8Array
}

/** `as number` stands where the index is within bounds by construction. */
function toPlanes({ width, height, rgb }: { width: number; height: number; rgb: Uint8Array }, grade: Grade): Planes {
  const luma = new Uint8Array(width * height)
  const [blue, red] = [new Uint8Array((width * height) / 4), new Uint8Array((width * height) / 4)]
  const { saturation, warmth } = grade
  const curve = contrastCurve(grade.contrast)
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      let [r, g, b] = [0, 0, 0]
      for (let part = 0; part < 4; part++) {
        const pixel = (row + (part >> 1)) * width + column + (part & 1)
        const pr = rgb[pixel * 3] as number
        const pg = rgb[pixel * 3 + 1] as number
        const pb = rgb[pixel * 3 + 2] as number
        luma[pixel] = curve[(pr * 871 + pg * 2929 + pb * 296) >> 10] as number
        r += pr
        g += pg
        b += pb
      }
      const at = ((row / 2) * width) / 2 + column / 2
      const bright = 0.2126 * r + 0.7152 * g + 0.0722 * b
      // 224 of 255 steps, of the sum of four pixels.
      blue[at] = chroma(((b - bright) / 1.8556) * saturation - warmth * 2)
      red[at] = chroma(((r - bright) / 1.5748) * saturation + warmth * 2)
    }
  }
  return { luma, blue, red }
}

function chroma(sumOfFour: number): number {
  return Math.min(240, Math.max(16, Math.round((sumOfFour / 4) * (224 / 255)) + 128))
}

/** Luma for each of 1021 brightnesses (quarters of a step), in the tv range: an S-curve around the middle for contrast. */
function contrastCurve(contrast: number): Uint8Array {
  return Uint8Array.from({ length: 1024 }, (_, index) => {
    const value = Math.min(1, index / 1020)
    const smooth = value * value * (3 - 2 * value)
    return Math.round(16 + 219 * (value + (smooth - value) * (contrast - 1) * 2.2))
  })
}

/** Puts an interpolated value after each of a row (the half-sample filter of H.264), and answers the transpose. */
function doubleRows({ width, height, values }: Plane): Plane {
  const doubled = new Uint8Array(width * height * 2)
  const line = new Uint8Array(width + 6)
  for (let row = 0; row < height; row++) {
    line.set(values.subarray(row * width, (row + 1) * width), 2)
    line.fill(values[row * width] as number, 0, 2)
    line.fill(values[(row + 1) * width - 1] as number, width + 2)
    for (let column = 0; column < width; column++) {
      const a = (line[column] as number) + (line[column + 5] as number)
      const b = (line[column + 1] as number) + (line[column + 4] as number)
      const c = (line[column + 2] as number) + (line[column + 3] as number)
      const between = (a - 5 * b + 20 * c + 16) >> 5
      doubled[column * 2 * height + row] = line[column + 2] as number
      doubled[(column * 2 + 1) * height + row] = between < 16 ? 16 : between > 235 ? 235 : between
    }
  }
  return { width: height, height: width * 2, values: doubled }
}

function toQuads({ width, height, values }: Plane, pad: number): Quads {
  const [columns, rows] = [width + 2 * pad, height + 2 * pad]
  const quads = new Uint32Array(columns * rows)
  // One row of the padded plane and the one below it.
  let upper = paddedRow({ width, height, values }, -pad, pad)
  for (let row = 0; row < rows; row++) {
    const lower = paddedRow({ width, height, values }, row - pad + 1, pad)
    for (let column = 0; column < columns; column++) {
      const right = ((upper[column + 1] as number) << 8) | ((lower[column + 1] as number) << 24)
      quads[row * columns + column] = (upper[column] as number) | ((lower[column] as number) << 16) | right
    }
    upper = lower
  }
  return { quads, columns }
}

function paddedRow({ width, height, values }: Plane, row: number, pad: number): Uint8Array {
  const from = Math.min(height - 1, Math.max(0, row)) * width
  const padded = new Uint8Array(width + 2 * pad + 1)
  padded.fill(values[from] as number, 0, pad)
  padded.set(values.subarray(from, from + width), pad)
  padded.fill(values[from + width - 1] as number, pad + width)
  return padded
}
