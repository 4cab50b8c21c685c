import { SAMPLE_RATE } from '../encode/encoder.ts'
import { hashText } from '../storyboard/hash-text.ts'
import { seededRandom } from '../storyboard/seeded-random.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'

/** Seconds of fade at both ends. */
const FADE_SECONDS = 0.6

export interface Ambience {
  /** The next `count` samples of both channels, interleaved, within −1 to 1. */
  next(count: number): Float32Array
}

export function createAmbience(board: Storyboard, durationSeconds: number): Ambience {
  const random = seededRandom(board.seed ^ hashText('ambience'))
  const total = durationSeconds * SAMPLE_RATE
  let [position, low] = [0, 0]
  return {
    next(count) {
      const samples = new Float32Array(count * 2)
      for (let index = 0; index < count; index++, position++) {
        low += 0.02 * (random() * 2 - 1 - low)
        const fade = Math.min(1, position / SAMPLE_RATE / FADE_SECONDS, (total - position) / SAMPLE_RATE / FADE_SECONDS)
        samples[index * 2] = samples[index * 2 + 1] = low * fade
      }
      return samples
    },
  }
}
