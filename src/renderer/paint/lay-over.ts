import type { Overlay } from './overlay.ts'

/**
 * Lays an overlay over planes (I420, BT.709, tv range) of the frame's size, in whole numbers: fog covers every pixel.
 * Squares of 2 × 2 pixels that are clear are passed over, as most are.
 */
export function layOver(
  planes: Uint8Array,
  { width, height }: { width: number; height: number },
  overlay: Overlay,
): void {
  const { pixels, top, rows } = overlay
  const opacity = Math.round(overlay.opacity * 256)
  const source = new Int32Array(pixels.buffer, pixels.byteOffset, width * rows)
  const chromaStart = width * height + (top * width) / 4
  const quarter = (width * height) >> 2
  for (let row = 0; row < rows; row += 2) {
    let from = row * width
    let at = (top + row) * width
    let u = chromaStart + (row * width) / 4
    for (const end = from + width; from < end; from += 2, at += 2, u += 1) {
      const a = source[from] as number
      const b = source[from + 1] as number
      const c = source[from + width] as number
      const d = source[from + width + 1] as number
      if ((a | b | c | d) === 0) continue
      planes[at] = lumaOver(planes[at] as number, a, opacity)
      planes[at + 1] = lumaOver(planes[at + 1] as number, b, opacity)
      planes[at + width] = lumaOver(planes[at + width] as number, c, opacity)
      planes[at + width + 1] = lumaOver(planes[at + width + 1] as number, d, opacity)
      const alpha = (((a >>> 24) + (b >>> 24) + (c >>> 24) + (d >>> 24)) * opacity) >> 8
      const red = (((a & 255) + (b & 255) + (c & 255) + (d & 255)) * opacity) >> 8
      const green = ((((a >> 8) & 255) + ((b >> 8) & 255) + ((c >> 8) & 255) + ((d >> 8) & 255)) * opacity) >> 8
      const blue = ((((a >> 16) & 255) + ((b >> 16) & 255) + ((c >> 16) & 255) + ((d >> 16) & 255)) * opacity) >> 8
      // BT.709 in 12 bits; the four pixels of a square together are two bits more, as is their alpha.
      const overU = (-412 * red - 1387 * green + 1799 * blue) >> 14
      const overV = (1799 * red - 1634 * green - 165 * blue) >> 14
      const v = u + quarter
      planes[u] = 128 + Math.trunc((((planes[u] as number) - 128) * (1020 - alpha)) / 1020) + overU
      planes[v] = 128 + Math.trunc((((planes[v] as number) - 128) * (1020 - alpha)) / 1020) + overV
    }
  }
}

/** A pixel's luma laid over another, 16–235. */
function lumaOver(luma: number, pixel: number, opacity: number): number {
  const alpha = (pixel >>> 24) * opacity
  const bright = (pixel & 255) * 748 + ((pixel >> 8) & 255) * 2516 + ((pixel >> 16) & 255) * 254
  return 16 + Math.trunc(((luma - 16) * (65_280 - alpha)) / 65_280) + ((bright * opacity) >> 20)
}
