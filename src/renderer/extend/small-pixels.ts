import type { Size } from '../warp/fit.ts'
import { type Pixels, sketchSize } from '../warp/sketch.ts'

/** A frame's colours at the size of a sketch, one pixel for each that is kept: enough to tell near from far. */
export function smallPixels(planes: Uint8Array, { width, height }: Size): Pixels {
  const size = sketchSize({ width, height })
  const rgb = new Uint8ClampedArray(size.width * size.height * 3)
  const pixels = width * height
  for (let row = 0; row < size.height; row++) {
    const y = Math.floor(((row + 0.5) * height) / size.height)
    for (let column = 0; column < size.width; column++) {
      const x = Math.floor(((column + 0.5) * width) / size.width)
      const chroma = pixels + (y >> 1) * (width / 2) + (x >> 1)
      const luma = 1.1644 * ((planes[y * width + x] ?? 16) - 16)
      const u = (planes[chroma] ?? 128) - 128
      const v = (planes[chroma + pixels / 4] ?? 128) - 128
      rgb.set([luma + 1.7927 * v, luma - 0.2132 * u - 0.5329 * v, luma + 2.1124 * u], (row * size.width + column) * 3)
    }
  }
  return { ...size, rgb: new Uint8Array(rgb.buffer) }
}
