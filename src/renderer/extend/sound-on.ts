import { SAMPLE_RATE, SAMPLES_PER_FRAME } from '../encode/encoder.ts'
import { type Ambience, createAmbience } from '../sound/ambience.ts'
import type { Storyboard } from '../storyboard/storyboard.ts'

/** Seconds of the source's end that are heard once more, backwards, while they fade: the wave goes on without a step. */
const TAIL_SECONDS = 0.8
/** Seconds over which the source's loudness is measured, and how long into the ambience, past its own rise. */
const MEASURED_SECONDS = 1.5
/** Loudness of an ambience after a source that has no sound, and the least and the most of any. */
const QUIET_LEVEL = 0.45
const LEVELS = { least: 0.15, most: 1.6 }
/** Root mean square under which a source counts as silent: −60 dB. */
const SILENCE = 0.001

/** The sound of a source, and of what follows it. */
export interface SoundOn {
  /** Hears a frame's share of the source's sound; only its end is kept. */
  hear(share: Float32Array): void
  /** A frame's share of what follows, once all of the source was heard. */
  next(): Float32Array
}

export function createSoundOn(board: Storyboard, durationSeconds: number): SoundOn {
  const kept: Float32Array[] = []
  let following: { readonly ambience: Ambience; readonly level: number; readonly tail: Float32Array } | undefined
  let position = 0
  return {
    hear(share) {
      kept.push(share)
      if (kept.length > (MEASURED_SECONDS * SAMPLE_RATE) / SAMPLES_PER_FRAME) kept.shift()
    },
    next() {
      following ??= {
        ambience: createAmbience(board, durationSeconds),
        level: matchedLevel(board, loudness(kept)),
        tail: backwards(kept),
      }
      const { ambience, level, tail } = following
      const samples = ambience.next(SAMPLES_PER_FRAME)
      for (let index = 0; index < samples.length; index++) {
        const fade = tailFade((position + (index >> 1)) / SAMPLE_RATE)
        const mixed = (samples[index] ?? 0) * level + (tail[position * 2 + index] ?? 0) * fade
        samples[index] = Math.min(1, Math.max(-1, mixed))
      }
      position += SAMPLES_PER_FRAME
      return samples
    },
  }
}

/** The samples of the end in the order in which a mirror would play them, each pair left then right. */
function backwards(shares: readonly Float32Array[]): Float32Array {
  const length = TAIL_SECONDS * SAMPLE_RATE * 2
  const whole = Float32Array.from(shares.flatMap((share) => [...share])).slice(-length)
  return whole.map((_, index) => whole[whole.length - 2 - index + 2 * (index & 1)] ?? 0)
}

function tailFade(seconds: number): number {
  return seconds >= TAIL_SECONDS ? 0 : Math.cos((seconds / TAIL_SECONDS) * (Math.PI / 2)) ** 2
}

/** What an ambience must be multiplied by to be as loud as the source was. */
function matchedLevel(board: Storyboard, source: number): number {
  if (source < SILENCE) return QUIET_LEVEL
  const trial = createAmbience(board, MEASURED_SECONDS * 3)
  trial.next(SAMPLE_RATE)
  const own = loudness([trial.next(MEASURED_SECONDS * SAMPLE_RATE)])
  return Math.min(LEVELS.most, Math.max(LEVELS.least, source / Math.max(SILENCE, own)))
}

/** Root mean square. */
function loudness(shares: readonly Float32Array[]): number {
  let [squares, count] = [0, 0]
  for (const share of shares) {
    for (const sample of share) squares += sample * sample
    count += share.length
  }
  return count === 0 ? 0 : Math.sqrt(squares / count)
}
