/**
 * From painted RGBA to the planes that the encoder takes (I420, BT.709, tv range), in one pass over the pixels. What
 * costs nothing extra is done on the way: the grade of the mode, the vignette, and film grain, which is also the dither
 * that keeps gradients from banding, for luma is carried with four more bits until the grain is added.
 */
import { seededRandom } from '../storyboard/seeded-random.ts'
import type { Grade } from '../storyboard/storyboard.ts'

/** Side of the grain tile in pixels, a power of two; each frame starts it at another place, so it never stands still. */
export const GRAIN_SIDE = 256
export const GRAIN_MASK = GRAIN_SIDE - 1
/** Strength of the grain, as the standard deviation in sixteenths of a luma step; under 1.5 steps it is felt, not seen. */
const GRAIN_SIXTEENTHS = 19
/**
 * BT.709's weights of red and blue in 9 bits, side by side: one multiplication of a pixel's red and blue, which stand 16
 * bits apart, leaves their weighted sum in the upper half. More bits would carry out of the lower half.
 */
const RED_AND_BLUE_WEIGHTS = (109 << 16) | 37
/** BT.709's weight of green in 9 bits; with those of red and blue it makes 512. */
const GREEN_WEIGHT = 366
/** A pixel's red and blue. */
const RED_AND_BLUE = 0xff00ff
/** A pixel's green, where it stands. */
const GREEN = 0xff00

export interface I420Writer {
  /** Converts one frame of opaque RGBA pixels into `planes`, which it answers: Y, then U, then V, tightly packed. */
  write(rgba: Uint8Array, frame: number, planes: Uint8Array): Uint8Array
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
  const tables: Tables = {
    width,
    height,
    curve: lumaCurve(grade),
    vignette: vignetteMap(width, height),
    grain: grainTile(seed, GRAIN_SIXTEENTHS),
    ...chromaWeights(grade),
  }
  return {
    write(rgba, frame, planes) {
      const target: Target = { pairs: new Uint16Array(planes.buffer, planes.byteOffset, (width * height) / 2), planes }
      convert(new Int32Array(rgba.buffer, rgba.byteOffset, width * height), target, tables, frame)
      return planes
    },
  }
}

/** The same bytes twice: luma is written two at a time, which is half the stores. */
interface Target {
  readonly pairs: Uint16Array
  readonly planes: Uint8Array
}

interface Tables {
  readonly width: number
  readonly height: number
  readonly curve: Uint16Array
  /** One for each square of 2 × 2 pixels: its steps are far below the grain. */
  readonly vignette: Uint16Array
  readonly grain: Int8Array
  readonly blue: readonly [number, number, number]
  readonly red: readonly [number, number, number]
  readonly warmth: number
}

/** BT.709's weights of red, green and blue for both chroma planes, in 12 bits, times the grade's saturation. */
function chromaWeights(grade: Grade): Pick<Tables, 'blue' | 'red' | 'warmth'> {
  const scale = (weight: number) => Math.round(weight * 4096 * grade.saturation)
  return {
    blue: [scale(-0.1006), scale(-0.3386), scale(0.4392)],
    red: [scale(0.4392), scale(-0.3989), scale(-0.0403)],
    warmth: Math.round(grade.warmth * 8192),
  }
}

/**
 * The one loop that meets every pixel: two rows and two columns at a time, all that it needs in locals, and no call that
 * is not inlined. `as number` stands where the index is within bounds by construction.
 */
function convert(source: Int32Array, { pairs, planes }: Target, tables: Tables, frame: number): void {
  const { width, height, curve, vignette, grain, warmth } = tables
  const [ur, ug, ub] = tables.blue
  const [vr, vg, vb] = tables.red
  const { across: acrossStart, down: downStart } = grainPlace(frame)
  const pixels = width * height
  const quarter = pixels >> 2
  let block = 0
  for (let row = 0; row < height; row += 2) {
    const grainRow = ((row + downStart) & GRAIN_MASK) * GRAIN_SIDE
    const grainNext = ((row + 1 + downStart) & GRAIN_MASK) * GRAIN_SIDE
    let at = row * width
    let below = at + width
    for (let column = acrossStart; column < width + acrossStart; column += 2) {
      const left = column & GRAIN_MASK
      const right = (column + 1) & GRAIN_MASK
      const a = source[at] as number
      const b = source[at + 1] as number
      const c = source[below] as number
      const d = source[below + 1] as number
      const aSides = a & RED_AND_BLUE
      const bSides = b & RED_AND_BLUE
      const cSides = c & RED_AND_BLUE
      const dSides = d & RED_AND_BLUE
      const aGreen = (a & GREEN) >> 8
      const bGreen = (b & GREEN) >> 8
      const cGreen = (c & GREEN) >> 8
      const dGreen = (d & GREEN) >> 8
      const light = vignette[block] as number
      // 17 bits of brightness, of which 12 are kept; the vignette's 8 bits; then the curve, in sixteenths.
      const aBright = (Math.imul(aSides, RED_AND_BLUE_WEIGHTS) >>> 16) + Math.imul(aGreen, GREEN_WEIGHT)
      const bBright = (Math.imul(bSides, RED_AND_BLUE_WEIGHTS) >>> 16) + Math.imul(bGreen, GREEN_WEIGHT)
      const cBright = (Math.imul(cSides, RED_AND_BLUE_WEIGHTS) >>> 16) + Math.imul(cGreen, GREEN_WEIGHT)
      const dBright = (Math.imul(dSides, RED_AND_BLUE_WEIGHTS) >>> 16) + Math.imul(dGreen, GREEN_WEIGHT)
      const aLuma = ((curve[Math.imul(aBright, light) >>> 13] as number) + (grain[grainRow + left] as number)) >> 4
      const bLuma = ((curve[Math.imul(bBright, light) >>> 13] as number) + (grain[grainRow + right] as number)) >> 4
      const cLuma = ((curve[Math.imul(cBright, light) >>> 13] as number) + (grain[grainNext + left] as number)) >> 4
      const dLuma = ((curve[Math.imul(dBright, light) >>> 13] as number) + (grain[grainNext + right] as number)) >> 4
      pairs[at >> 1] = aLuma | (bLuma << 8)
      pairs[below >> 1] = cLuma | (dLuma << 8)
      const sides = aSides + bSides + cSides + dSides
      const red = sides & 0xffff
      const green = aGreen + bGreen + cGreen + dGreen
      const blue = sides >>> 16
      const chromaAt = pixels + block
      const u = Math.imul(ur, red) + Math.imul(ug, green) + Math.imul(ub, blue) - warmth
      const v = Math.imul(vr, red) + Math.imul(vg, green) + Math.imul(vb, blue) + warmth
      planes[chromaAt] = clampChroma(((u + 8192) >> 14) + 128)
      planes[chromaAt + quarter] = clampChroma(((v + 8192) >> 14) + 128)
      at += 2
      below += 2
      block += 1
    }
  }
}

/** Where in the tile a frame's grain starts. */
export function grainPlace(frame: number): { across: number; down: number } {
  const start = Math.imul(frame + 1, 0x9e3779b1)
  return { across: (start >>> 8) & GRAIN_MASK, down: (start >>> 20) & GRAIN_MASK }
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
  const [columns, rows] = [width / 2, height / 2]
  const map = new Uint16Array(columns * rows)
  for (let row = 0; row < rows; row++) {
    const down = (row + 0.5) / rows - 0.5
    for (let column = 0; column < columns; column++) {
      const across = (column + 0.5) / columns - 0.5
      const far = (across * across + down * down) * 2
      map[row * columns + column] = Math.round(256 * (1 - 0.28 * far * far * (1.6 - 0.6 * far)))
    }
  }
  return map
}

/**
 * Grain with a normal distribution, whose standard deviation is given in sixteenths of a step, plus the 0–15 that rounds
 * a sixteenth up or down at random.
 */
export function grainTile(seed: number, sixteenths: number): Int8Array {
  const random = seededRandom(seed)
  return Int8Array.from({ length: GRAIN_SIDE * GRAIN_SIDE }, () => {
    const normal = (random() + random() + random() + random() - 2) * Math.sqrt(3)
    return Math.round(normal * sixteenths + random() * 15)
  })
}
