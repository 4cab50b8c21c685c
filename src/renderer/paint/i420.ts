/**
 * From painted RGBA to the planes that the encoder takes (I420, BT.709, tv range), in one pass over the pixels. What
 * costs nothing extra is done on the way: the grade of the mode, the vignette, and film grain, which is also the dither
 * that keeps gradients from banding, for luma is carried with four more bits until the grain is added.
 */
import { seededRandom } from '../storyboard/seeded-random.ts'
import type { Grade } from '../storyboard/storyboard.ts'

/** Side of the grain tile in pixels, a power of two; each frame starts it at another place, so it never stands still. */
const GRAIN_SIDE = 256
const GRAIN_MASK = GRAIN_SIDE - 1
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
  const tables: Tables = {
    width,
    height,
    curve: lumaCurve(grade),
    vignette: vignetteMap(width, height),
    grain: grainTile(seed),
    ...chromaWeights(grade),
  }
  const planes = new Uint8Array((width * height * 3) / 2)
  return {
    write(rgba, frame) {
      convert(new Uint32Array(rgba.buffer, rgba.byteOffset, width * height), planes, tables, frame)
      return planes
    },
  }
}

interface Tables {
  readonly width: number
  readonly height: number
  readonly curve: Uint16Array
  readonly vignette: Uint16Array
  readonly grain: Int16Array
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
function convert(source: Uint32Array, planes: Uint8Array, tables: Tables, frame: number): void {
  const { width, height, curve, vignette, grain, warmth } = tables
  const [ur, ug, ub] = tables.blue
  const [vr, vg, vb] = tables.red
  const start = Math.imul(frame + 1, 0x9e3779b1)
  const [acrossStart, downStart] = [(start >>> 8) & GRAIN_MASK, (start >>> 20) & GRAIN_MASK]
  const pixels = width * height
  const quarter = pixels >> 2
  let chromaAt = pixels
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
      const ar = a & 255
      const ag = (a >>> 8) & 255
      const ab = (a >>> 16) & 255
      const br = b & 255
      const bg = (b >>> 8) & 255
      const bb = (b >>> 16) & 255
      const cr = c & 255
      const cg = (c >>> 8) & 255
      const cb = (c >>> 16) & 255
      const dr = d & 255
      const dg = (d >>> 8) & 255
      const db = (d >>> 16) & 255
      // 0.2126, 0.7152, 0.0722 in 16 bits, of which 12 are kept; the vignette's 8 bits; then the curve, in sixteenths.
      const aBright = (((13933 * ar + 46871 * ag + 4732 * ab) >>> 12) * (vignette[at] as number)) >>> 8
      const bBright = (((13933 * br + 46871 * bg + 4732 * bb) >>> 12) * (vignette[at + 1] as number)) >>> 8
      const cBright = (((13933 * cr + 46871 * cg + 4732 * cb) >>> 12) * (vignette[below] as number)) >>> 8
      const dBright = (((13933 * dr + 46871 * dg + 4732 * db) >>> 12) * (vignette[below + 1] as number)) >>> 8
      planes[at] = ((curve[aBright] as number) + (grain[grainRow + left] as number)) >> 4
      planes[at + 1] = ((curve[bBright] as number) + (grain[grainRow + right] as number)) >> 4
      planes[below] = ((curve[cBright] as number) + (grain[grainNext + left] as number)) >> 4
      planes[below + 1] = ((curve[dBright] as number) + (grain[grainNext + right] as number)) >> 4
      const red = ar + br + cr + dr
      const green = ag + bg + cg + dg
      const blue = ab + bb + cb + db
      planes[chromaAt] = clampChroma(((ur * red + ug * green + ub * blue - warmth + 8192) >> 14) + 128)
      planes[chromaAt + quarter] = clampChroma(((vr * red + vg * green + vb * blue + warmth + 8192) >> 14) + 128)
      at += 2
      below += 2
      chromaAt += 1
    }
  }
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
