import { FileRefused } from '../file-refused.ts'
import { MIN_SIDE_PIXELS } from '../kind-limits.ts'

/**
 * Holds the pixels of a picture, or of the frames of a video, against limits.
 * @param called Completes the sentence “The file is …”.
 * @throws FileRefused
 */
export function checkSides(
  called: string,
  { width, height }: { readonly width: number; readonly height: number },
  { maxPixels, maxSide }: { readonly maxPixels: number; readonly maxSide: number },
): void {
  const found = `${called} of ${width} × ${height} pixels`
  if (Math.min(width, height) < MIN_SIDE_PIXELS) {
    throw new FileRefused('not_allowed', { found, allowed: `sides of at least ${MIN_SIDE_PIXELS} pixels` })
  }
  if (Math.max(width, height) > maxSide) {
    throw new FileRefused('too_large', { found, allowed: `sides of at most ${maxSide} pixels` })
  }
  if (width * height > maxPixels) {
    throw new FileRefused('too_large', { found, allowed: `at most ${maxPixels} pixels in all` })
  }
}
