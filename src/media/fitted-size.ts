export interface PixelSize {
  readonly width: number
  readonly height: number
}

/** The size to draw a picture at: its long side at most `maxSide` pixels, both sides even as 4:2:0 needs. */
export function fittedSize({ width, height }: PixelSize, maxSide: number): PixelSize {
  const scale = Math.min(1, maxSide / Math.max(width, height))
  const even = (pixels: number) => Math.max(2, 2 * Math.round((pixels * scale) / 2))
  return { width: even(width), height: even(height) }
}
