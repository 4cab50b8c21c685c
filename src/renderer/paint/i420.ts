/**
 * From painted RGBA to the planes that the encoder takes (I420, BT.709, tv range), in one pass over the pixels. What
 * costs nothing extra is done on the way: the grade of the mode, the vignette, and film grain, which is also the dither
 * that keeps gradients from banding, for luma is carried with four more bits until the grain is added.
 */
import { seededRandom } from '../storyboard/seeded-random.ts'
import type { Grade } from '../storyboard/storyboard.ts'

/** Side of the grain tile in pixels, a power of two; each frame starts it at another place, so it never stands still. */
const GRAIN_SIDE = 256
/** Strength of the grain, as the standard deviation in sixteenths of a luma step; under 1.5 steps it is felt, not seen. */
const GRAIN_SIXTEENTHS = 19

export interface I420Writer {
  /** Converts one frame of opaque RGBA pixels into `planes`: Y, then U, then V, tightly packed. */
  write(rgba: Uint8Array, frame: number): Uint8Array
}

export function createI420Writer({
  width,
  height,
  seed,
  grade,
}: {
  width: number
  height: number
  seed: number
  grade: Grade
}): I420Writer {
  const pixels = width * height
  const planes = new Uint8Array((pixels * 3) / 2)
  const curve = lumaCurve(grade)
  const vignette = vignetteMap(width, height)
  const grain = grainTile(seed)
  const chroma = 4096 * grade.saturation
  const warmth = Math.round(grade.warmth * 8192)
  const [ur, ug, ub] = [-0.1006 * chroma, -0.3386 * chroma, 0.4392 * chroma].map(Math.round) as [number, number, number]
  const [vr, vg, vb] = [0.4392 * chroma, -0.3989 * chroma, -0.0403 * chroma].map(Math.round) as [number, number, number]

  function write(rgba: Uint8Array, frame: number): Uint8Array {
    const source = new Uint32Array(rgba.buffer, rgba.byteOffset, pixels)
    const start = Math.imul(frame + 1, 0x9e3779b1)
    const [acrossStart, downStart] = [(start >>> 8) & (GRAIN_SIDE - 1), (start >>> 20) & (GRAIN_SIDE - 1)]
    let chromaAt = pixels
    for (let row = 0; row < height; row += 2) {
      const grainRow = ((row + downStart) & (GRAIN_SIDE - 1)) * GRAIN_SIDE
      const grainNext = ((row + 1 + downStart) & (GRAIN_SIDE - 1)) * GRAIN_SIDE
      let at = row * width
      for (let column = 0; column < width; column += 2, at += 2, chromaAt++) {
        const below = at + width
        const a = source[at] as number
        const b = source[at + 1] as number
        const c = source[below] as number
        const d = source[below + 1] as number
        const g0 = (column + acrossStart) & (GRAIN_SIDE - 1)
        const g1 = (g0 + 1) & (GRAIN_SIDE - 1)
        planes[at] = luma(a, at, grainRow + g0)
        planes[at + 1] = luma(b, at + 1, grainRow + g1)
        planes[below] = luma(c, below, grainNext + g0)
        planes[below + 1] = luma(d, below + 1, grainNext + g1)
        const red = (a & 255) + (b & 255) + (c & 255) + (d & 255)
        const green = ((a >>> 8) & 255) + ((b >>> 8) & 255) + ((c >>> 8) & 255) + ((d >>> 8) & 255)
        const blue = ((a >>> 16) & 255) + ((b >>> 16) & 255) + ((c >>> 16) & 255) + ((d >>> 16) & 255)
        planes[chromaAt] = clampChroma(((ur * red + ug * green + ub * blue - warmth + 8192) >> 14) + 128)
        planes[chromaAt + pixels / 4] = clampChroma(((vr * red + vg * green + vb * blue + warmth + 8192) >> 14) + 128)
      }
    }
    return planes
  }

  function luma(pixel: number, at: number, grainAt: number): number {
    // 0.2126, 0.7152, 0.0722 in 16 bits; the vignette brings 8 more, and 12 are kept for the curve.
    const bright = 13933 * (pixel & 255) + 46871 * ((pixel >>> 8) & 255) + 4732 * ((pixel >>> 16) & 255)
    const index = ((bright >>> 12) * (vignette[at] as number)) >>> 8
    return ((curve[index] as number) + (grain[grainAt] as number)) >> 4
  }

  return { write }
}

function clampChroma(value: number): number {
  return value < 16 ? 16 : Math.min(value, 240)
}

/** Luma for each of 4096 brightnesses, in sixteenths of a step, 16–235: an S-curve around the middle for contrast. */
function lumaCurve(grade: Grade): Uint16Array {
  return Uint16Array.from({ length: 4096 }, (_, index) => {
    const value = index / 4080
    const smooth = value * value * (3 - 2 * value)
    const graded = value + (smooth - value) * (grade.contrast - 1) * 2.2
    return Math.round(Math.min(234, Math.max(17, 16 + 219 * graded)) * 16)
  })
}

/** 256 in the middle, falling off smoothly to about 0.72 of it in the corners. */
function vignetteMap(width: number, height: number): Uint16Array {
  const map = new Uint16Array(width * height)
  for (let row = 0; row < height; row++) {
    const down = (row + 0.5) / height - 0.5
    for (let column = 0; column < width; column++) {
      const across = (column + 0.5) / width - 0.5
      const far = (across * across + down * down) * 2
      map[row * width + column] = Math.round(256 * (1 - 0.28 * far * far * (1.6 - 0.6 * far)))
    }
  }
  return map
}

/** Grain with a normal distribution, plus the 0–15 that rounds a sixteenth up or down at random. */
function grainTile(seed: number): Int16Array {
  const random = seededRandom(seed)
  return Int16Array.from({ length: GRAIN_SIDE * GRAIN_SIDE }, () => {
    const normal = (random() + random() + random() + random() - 2) * Math.sqrt(3)
    return Math.round(normal * GRAIN_SIXTEENTHS + random() * 15)
  })
}
