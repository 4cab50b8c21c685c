/** Small maps of one number a pixel, and the filters that the estimates of interest and depth are made of. */
import type { Size } from './fit.ts'

/** Row by row. */
export interface Raster extends Size {
  readonly values: Float32Array
}

/** A raster whose values are computed from their index. */
export function raster({ width, height }: Size, value: (index: number) => number): Raster {
  const values = new Float32Array(width * height)
  for (let index = 0; index < values.length; index++) values[index] = value(index)
  return { width, height, values }
}

/** Value at whole coordinates, those beyond the edge taken from the edge. */
export function valueAt({ width, height, values }: Raster, column: number, row: number): number {
  const x = column < 0 ? 0 : Math.min(column, width - 1)
  const y = row < 0 ? 0 : Math.min(row, height - 1)
  return values[y * width + x] ?? 0
}

/** Value between pixels; `as number` stands where the index is within bounds by construction. */
export function sampleAt({ width, height, values }: Raster, column: number, row: number): number {
  const x = column < 0 ? 0 : Math.min(column, width - 1)
  const y = row < 0 ? 0 : Math.min(row, height - 1)
  const at = Math.floor(y) * width + Math.floor(x)
  const right = x < width - 1 ? 1 : 0
  const below = y < height - 1 ? width : 0
  const [across, down] = [x - Math.floor(x), y - Math.floor(y)]
  const upper = (values[at] as number) * (1 - across) + (values[at + right] as number) * across
  const lower = (values[at + below] as number) * (1 - across) + (values[at + below + right] as number) * across
  return upper * (1 - down) + lower * down
}

/** How steep a raster is at each pixel, in value for each pixel. */
export function steepness(of: Raster): Raster {
  return raster(of, (index) => {
    const [x, y] = [index % of.width, Math.floor(index / of.width)]
    const across = valueAt(of, x + 1, y) - valueAt(of, x - 1, y)
    const down = valueAt(of, x, y + 1) - valueAt(of, x, y - 1)
    return Math.hypot(across, down) / 2
  })
}

/** Means over squares of 2 × radius + 1 pixels. Done three times it is a Gaussian to within what anyone can see. */
export function boxBlur(of: Raster, radius: number): Raster {
  return blurRows(blurRows(of, radius), radius)
}

/** Blurs along the rows and answers the transpose, so that twice is both ways. */
function blurRows(of: Raster, radius: number): Raster {
  const values = new Float32Array(of.values.length)
  for (let row = 0; row < of.height; row++) {
    let sum = 0
    for (let column = -radius; column <= radius; column++) sum += valueAt(of, column, row)
    for (let column = 0; column < of.width; column++) {
      values[column * of.height + row] = sum / (2 * radius + 1)
      sum += valueAt(of, column + radius + 1, row) - valueAt(of, column - radius, row)
    }
  }
  return { width: of.height, height: of.width, values }
}

export function combine(a: Raster, b: Raster, value: (a: number, b: number) => number): Raster {
  return raster(a, (index) => value(a.values[index] ?? 0, b.values[index] ?? 0))
}

/**
 * Smooths a raster where the guide is smooth, and lets it change where the guide does: the guided filter of He, Sun and
 * Tang (2010). `softness` is the variance of the guide under which it counts as smooth.
 */
export function guidedFilter(
  of: Raster,
  guide: Raster,
  { radius, softness }: { radius: number; softness: number },
): Raster {
  const blur = (each: Raster) => boxBlur(each, radius)
  const product = (a: number, b: number) => a * b
  const [meanGuide, meanValue] = [blur(guide), blur(of)]
  const variance = combine(blur(combine(guide, guide, product)), meanGuide, (square, mean) => square - mean * mean)
  const together = blur(combine(guide, of, product))
  const covariance = combine(together, combine(meanGuide, meanValue, product), (both, apart) => both - apart)
  const slope = combine(covariance, variance, (common, own) => common / (own + softness))
  const offset = combine(meanValue, combine(slope, meanGuide, product), (value, share) => value - share)
  const sloped = combine(blur(slope), guide, product)
  return combine(sloped, blur(offset), (value, add) => value + add)
}

/** Stretches a raster to 0–1, ignoring the given share of outliers at either end. An even one becomes a half. */
export function stretch(of: Raster, outliers: number): Raster {
  const sorted = of.values.slice().sort()
  const low = sorted[Math.floor(outliers * (sorted.length - 1))] ?? 0
  const high = sorted[Math.ceil((1 - outliers) * (sorted.length - 1))] ?? 0
  if (high - low < 1e-6) return raster(of, () => 0.5)
  return raster(of, (index) => Math.min(1, Math.max(0, ((of.values[index] ?? 0) - low) / (high - low))))
}
