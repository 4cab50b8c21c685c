import { FileRefused } from '../file-refused.ts'
import { MAX_MEDIA_SECONDS } from '../kind-limits.ts'

/**
 * Holds a measured duration against the limit, and rounds it to the millisecond.
 * @param called Completes the sentence “The file is …”.
 * @throws FileRefused
 */
export function checkDuration(called: string, seconds: number): number {
  const rounded = Math.round(seconds * 1000) / 1000
  if (!(rounded > 0)) throw new FileRefused('broken', { found: `${called} of no length`, allowed: 'something to play' })
  if (rounded <= MAX_MEDIA_SECONDS) return rounded
  throw new FileRefused('too_large', {
    found: `${called} of ${rounded} s`,
    allowed: `at most ${MAX_MEDIA_SECONDS} s`,
  })
}
