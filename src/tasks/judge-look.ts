/**
 * What follows from one look at a job that a provider has: the whole table, without a clock and without a database. Time alone
 * ends no task that a provider may have finished: a task expires only by a look at or after its deadline that finds the job not
 * finished, or, where no look is answered, some time after it.
 */
import { DURABLE_JOBS, type GoneJobs } from '../providers/provider.ts'

/** What a look found. */
export type Sight =
  /** No answer of the job's: the provider could not be reached, spoke nonsense, or was busy. */
  | 'nothing'
  | 'pending'
  /** Finished, with a video to be taken. */
  | 'video'
  /** Finished, without a video. */
  | 'no video'
  /** The provider says that the job failed, or that it dropped it. */
  | 'ended'
  | 'gone'

export type NextMove =
  | 'look again'
  | 'collect'
  /** The task ends as the provider says. */
  | 'end as told'
  /** Its time is over. */
  | 'expire'
  /** The provider's answer that there is no video is final. */
  | 'give up the result'
  /** The job is nowhere. */
  | 'give up the job'

export interface Look {
  readonly sight: Sight
  /** Milliseconds until the task's deadline; not positive: this look was made at it, or after it. */
  readonly leftMs: number
  /** Milliseconds beyond the deadline for which a provider that does not answer is asked. */
  readonly graceMs: number
  /** Looks of the same kind before this one, in a row: that found the job gone, or its video missing. */
  readonly before: number
}

export function judgeLook({ sight, leftMs, graceMs, before }: Look, goneJobs: GoneJobs = DURABLE_JOBS): NextMove {
  switch (sight) {
    case 'nothing':
      return leftMs + graceMs > 0 ? 'look again' : 'expire'
    case 'pending':
      return leftMs > 0 ? 'look again' : 'expire'
    case 'video':
      return 'collect'
    case 'no video':
      return isFinal('no video', before) ? 'give up the result' : 'look again'
    case 'ended':
      return 'end as told'
    case 'gone':
      return gonePauseMs(before, goneJobs) === undefined ? 'give up the job' : 'look again'
  }
}

/**
 * How the time for which a job must be unknown is divided among the pauses between looks: a server that comes back is noticed
 * soon, and six looks in all tell chance from loss.
 */
const GONE_PAUSE_SHARES = [1 / 30, 2 / 30, 4 / 30, 8 / 30, 15 / 30]

/** Milliseconds until a job that is unknown is asked for again, after `before` such looks; `undefined`: it is believed. */
export function gonePauseMs(before: number, { believedAfterMs }: GoneJobs = DURABLE_JOBS): number | undefined {
  const share = believedAfterMs > 0 ? GONE_PAUSE_SHARES[before] : undefined
  return share === undefined ? undefined : share * believedAfterMs
}

/** Why a finished job's video could not be taken, by the provider's doing. */
export type ResultFault =
  /** It names no video. */
  | 'no video'
  /** Its link no longer works; each look gives the present one. */
  | 'link gone'
  /** Its link leads where no link may lead. */
  | 'link refused'
  /** What lies there is no whole video. */
  | 'broken file'
  /** A whole video, of another length than was asked for. */
  | 'wrong duration'
  | 'too large'

/**
 * Looks with each fault, after which the provider's answer is final. A file that is being copied to where it can be fetched is
 * there within the minutes that eight looks take; what never changes is not asked for again.
 */
const MAX_LOOKS: Readonly<Record<ResultFault, number>> = {
  'no video': 5,
  'link gone': 8,
  'link refused': 3,
  'broken file': 8,
  'wrong duration': 1,
  'too large': 1,
}

/** Whether a fault is final, after `before` looks that met one. */
export function isFinal(fault: ResultFault, before: number): boolean {
  return before + 1 >= MAX_LOOKS[fault]
}

/** Times that a task is begun anew after its job was lost: one that takes its server down with it is no accident. */
const MAX_LOST_JOBS = 2

export interface LostJob {
  readonly goneJobs: GoneJobs
  readonly startIsIdempotent: boolean
  /** The provider begins no new jobs. */
  readonly isRetired: boolean
  /** Jobs of the task that were lost before this one. */
  readonly lostBefore: number
  readonly leftMs: number
}

/**
 * Who may be handed a task whose job is nowhere. The same provider where its token makes one job of two, or where the lost one is
 * surely not billed; another one only in the latter case; and none once the task's time is over.
 */
export function afterLoss({ goneJobs, startIsIdempotent, isRetired, lostBefore, leftMs }: LostJob): {
  readonly same: boolean
  readonly other: boolean
} {
  if (leftMs <= 0) return { same: false, other: false }
  const { isSurelyLost } = goneJobs
  const same = !isRetired && lostBefore < MAX_LOST_JOBS && (startIsIdempotent || isSurelyLost)
  return { same, other: isSurelyLost }
}
