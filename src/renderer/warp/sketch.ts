import type { Place, Size } from './fit.ts'
import { boxBlur, combine, type Raster, raster, steepness } from './raster.ts'

/** Pixels of three bytes: red, green, blue. */
export interface Pixels extends Size {
  readonly rgb: Uint8Array
}

/** What is measured of a picture at a small size. */
export interface Sketch extends Size {
  /** 0–1. */
  readonly luma: Raster
  /** Difference of the strongest and the weakest primary, 0–1. */
  readonly saturation: Raster
  /** How much blue exceeds red, −1 to 1. */
  readonly blueness: Raster
  /** Edges and texture around each pixel; 1 is the busiest. */
  readonly detail: Raster
}

/** Pixels on the long side of a sketch: enough to tell a face from a sky, and few enough to filter in milliseconds. */
export const SKETCH_SIDE = 96

/** Size of a sketch of a picture. */
export function sketchSize({ width, height }: Size): Size {
  const scale = Math.min(1, SKETCH_SIDE / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** Measures a picture that is as small as a sketch already. */
export function sketch({ width, height, rgb }: Pixels): Sketch {
  const of = (value: (red: number, green: number, blue: number) => number) =>
    raster({ width, height }, (index) => {
      const at = index * 3
      return value((rgb[at] ?? 0) / 255, (rgb[at + 1] ?? 0) / 255, (rgb[at + 2] ?? 0) / 255)
    })
  const luma = of((red, green, blue) => 0.2126 * red + 0.7152 * green + 0.0722 * blue)
  const saturation = of((red, green, blue) => Math.max(red, green, blue) - Math.min(red, green, blue))
  const busy = boxBlur(
    boxBlur(
      combine(steepness(luma), steepness(saturation), (a, b) => a + b / 2),
      1,
    ),
    1,
  )
  const most = busy.values.reduce((highest, value) => Math.max(highest, value), 1e-3)
  return {
    width,
    height,
    luma,
    saturation,
    blueness: of((red, _green, blue) => blue - red),
    detail: raster(busy, (index) => (busy.values[index] ?? 0) / most),
  }
}

/**
 * Reduces a picture to the given size, each pixel the mean of those that it covers. `as number` stands where the index is
 * within bounds by construction.
 */
export function shrink({ width, height, rgb }: Pixels, size: Size): Pixels {
  const sums = new Uint32Array(size.width * size.height * 3)
  const counts = new Uint32Array(size.width * size.height)
  const columns = Uint32Array.from({ length: width }, (_, column) => Math.floor((column * size.width) / width))
  let at = 0
  for (let row = 0; row < height; row++) {
    const into = Math.floor((row * size.height) / height) * size.width
    for (let column = 0; column < width; column++) {
      const count = into + (columns[column] as number)
      const to = count * 3
      counts[count] = (counts[count] as number) + 1
      sums[to] = (sums[to] as number) + (rgb[at] as number)
      sums[to + 1] = (sums[to + 1] as number) + (rgb[at + 1] as number)
      sums[to + 2] = (sums[to + 2] as number) + (rgb[at + 2] as number)
      at += 3
    }
  }
  const means = Uint8Array.from(sums, (sum, index) => Math.round(sum / Math.max(1, counts[Math.floor(index / 3)] ?? 1)))
  return { ...size, rgb: means }
}

/**
 * Where a picture's subject most likely is: the centre of what is busy, colourful or the colour of skin, weighed towards
 * the middle, where people put what they photograph.
 */
export function centreOfInterest({ width, height, luma, saturation, blueness, detail }: Sketch): Place {
  const energy = raster(detail, (index) => {
    const [x, y] = [((index % width) + 0.5) / width - 0.5, (Math.floor(index / width) + 0.5) / height - 0.5]
    const warm = -(blueness.values[index] ?? 0)
    const bright = luma.values[index] ?? 0
    // Skin of any shade is warmer than grey, less than a flame is, and neither black nor burnt out.
    const skin = warm > 0.08 && warm < 0.5 && bright > 0.15 && bright < 0.9 ? 1 : 0
    const stands = (detail.values[index] ?? 0) + 0.5 * (saturation.values[index] ?? 0) + 0.25 * skin
    return stands * (0.3 + 0.7 * Math.exp(-4 * (x * x + y * y)))
  })
  const peaks = boxBlur(boxBlur(energy, 3), 3).values
  let [total, across, down] = [0, 0, 0]
  for (const [index, value] of peaks.entries()) {
    // Squared twice, one strong subject outweighs a wide weak background.
    const weight = value ** 4
    total += weight
    across += weight * ((index % width) + 0.5)
    down += weight * (Math.floor(index / width) + 0.5)
  }
  return total === 0 ? { x: 0.5, y: 0.5 } : { x: across / total / width, y: down / total / height }
}
