import type { Size } from '../warp/fit.ts'
import { type Raster, raster } from '../warp/raster.ts'

/** Pixels on the long side of the largest level: motion is found to a fraction of its pixels, and it is filtered in no time. */
const LONG_SIDE = 160
/** Below this the levels say nothing any more. */
const SMALLEST_SIDE = 12

/** A picture's luma, made smaller by whole steps. */
export interface Pyramid {
  /** The largest first; each has half the pixels of the one before on each side. */
  readonly levels: readonly Raster[]
  /** Pixels of the frame for one of the largest level. */
  readonly step: number
}

export function lumaPyramid(planes: Uint8Array, { width, height }: Size): Pyramid {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / LONG_SIDE))
  const size = { width: Math.floor(width / step), height: Math.floor(height / step) }
  const whole = raster(size, (index) => {
    const start = Math.floor(index / size.width) * step * width + (index % size.width) * step
    let sum = 0
    for (let row = 0; row < step; row++) {
      for (let column = 0; column < step; column++) sum += planes[start + row * width + column] as number
    }
    return sum / (step * step)
  })
  const levels = [whole]
  for (let last = whole; Math.min(last.width, last.height) >= SMALLEST_SIDE * 2; ) {
    last = halve(last)
    levels.push(last)
  }
  return { levels, step }
}

function halve(of: Raster): Raster {
  const size = { width: of.width >> 1, height: of.height >> 1 }
  return raster(size, (index) => {
    const at = Math.floor(index / size.width) * 2 * of.width + (index % size.width) * 2
    const [a, b] = [of.values[at] ?? 0, of.values[at + 1] ?? 0]
    return (a + b + (of.values[at + of.width] ?? 0) + (of.values[at + of.width + 1] ?? 0)) / 4
  })
}
