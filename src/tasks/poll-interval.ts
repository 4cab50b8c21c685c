/**
 * A job is asked after at the usual pace until it is this many intervals old, which with the vendors' usual 5 s is longer than
 * nearly all clips take; from then on news of it is late by at most a fortieth of what the customer has waited already.
 */
const USUAL_PACE_INTERVALS = 40

/** Nobody waits longer than this many usual intervals for the news that a job is done. */
const MAX_STRETCH = 4

/** Tasks that began together are asked after apart: a tenth to either side. */
const JITTER = 0.1

/** What of an interval a poll that was late can take from the next one: the pace holds on average, and two are never close. */
const MADE_UP_FOR = 0.5

export interface PollPace {
  /** The provider's usual interval. */
  readonly pollEveryMs: number
  /** How long the job has been under way. */
  readonly ageMs: number
  /** By how much the poll just made came late. */
  readonly lateMs: number
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

/** Milliseconds until a job that is under way is asked after again: the older it is, the less hurry. */
export function pollIntervalMs({ pollEveryMs, ageMs, lateMs, random }: PollPace): number {
  const stretch = Math.min(MAX_STRETCH, Math.max(1, ageMs / (pollEveryMs * USUAL_PACE_INTERVALS)))
  const plain = pollEveryMs * stretch * (1 - JITTER + 2 * JITTER * random())
  return Math.round(plain - Math.min(Math.max(0, lateMs), plain * MADE_UP_FOR))
}
