import type { AttemptOutcome } from './delivery.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/**
 * The pause before each attempt: three days in all, long enough for a receiver to be repaired after a weekend. The
 * schedule is the one that Standard Webhooks advises.
 */
export const ATTEMPT_PAUSES_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
]

/** A pause is this much longer or shorter, by chance, so that what failed together does not come back together. */
const JITTER = 0.1

/** A receiver may ask for a longer pause, not for one that ends after everybody has forgotten the video. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS

/** What an attempt makes of its delivery. */
export type Plan =
  | { readonly state: 'delivered' }
  | { readonly state: 'failed' }
  | { readonly state: 'pending'; readonly inMs: number }

/**
 * Decides what follows an attempt.
 * @param attempts how many there have been, this one included.
 */
export function planNext(outcome: AttemptOutcome, attempts: number, random: () => number): Plan {
  if (outcome.kind === 'delivered') return { state: 'delivered' }
  const pauseMs = ATTEMPT_PAUSES_MS[attempts]
  if (outcome.kind === 'refused' || pauseMs === undefined) return { state: 'failed' }
  const jitteredMs = pauseMs * (1 - JITTER + 2 * JITTER * random())
  return {
    state: 'pending',
    inMs: Math.round(Math.max(jitteredMs, Math.min(outcome.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))),
  }
}
