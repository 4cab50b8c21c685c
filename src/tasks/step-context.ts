import type { Logger } from 'pino'
import type { TaskId } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { OfLeases } from '../media/discard-ingested.ts'
import type { Ingest, MediaRecord } from '../media/ingest.ts'
import type { Cadence } from '../observe/cadence.ts'
import type { OpenReference, Provider } from '../providers/provider.ts'
import type { AcceptedJobs } from './accepted-jobs.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { Deadlines } from './deadlines.ts'
import type { PollSaver } from './poll-saver.ts'
import type { Room } from './room.ts'
import type { Router } from './router.ts'

/** What a finished video is stored with; where it is stored is known to whoever put the platform together. */
export type FinishedVideo = Pick<
  Ingest,
  'path' | 'taskId' | 'fence' | 'request' | 'provider' | 'sourceType' | 'sizeStep' | 'keepSeconds'
>

/** Checks, marks and stores a finished video. Running it again leaves the same files under the same ids. */
export type IngestVideo = (video: FinishedVideo) => Promise<MediaRecord[]>

/** A call of `start`: a `new` one, or the `repeat` of one of which nobody knows what came of it. */
export type StartCall = 'new' | 'repeat'

/** What is counted for the operator, by provider. */
export interface StepCounters {
  /** A finished job's video could not be taken this time. */
  collectFault(provider: string, fault: string): void
  /** A provider finished, for good, without a video that can be taken. */
  unusableResult(provider: string, fault: string): void
  /** A provider took a job, and then did not know it. */
  lostJob(provider: string): void
}

/** For a worker whose operator reads no metrics. */
export const UNCOUNTED: StepCounters = { collectFault: () => {}, unusableResult: () => {}, lostJob: () => {} }

/** What a step works with. */
export interface StepContext {
  readonly db: Queryable
  readonly provider: Provider
  /** This provider is gone from the configuration: it begins no new jobs. */
  readonly isRetired: boolean
  /** The health of this provider, as this process knows it. */
  readonly breaker: CircuitBreaker
  readonly polls: PollSaver
  /** Starts of this process that are under way, and accepted jobs that are not saved yet. */
  readonly accepted: AcceptedJobs
  /** Places for videos that are being fetched and stored. */
  readonly collecting: Room
  /** Bytes of files that starts may hold at once, of all providers together. */
  readonly starting: Room
  /** Asks for leave to call the provider's start now; one that is given is counted as used. */
  readonly mayStart: (call: StartCall) => boolean
  /** Told of bytes that could not be written to the store or its disk: it is proved whether they can. */
  readonly storage: { readonly suspect: (sizeBytes: number) => void }
  readonly counters: StepCounters
  /** Says when a line that would come again and again is due as an error. */
  readonly cadence: Cadence
  /** The routes as they are now. */
  readonly router: () => Router
  readonly deadlines: Deadlines
  /** An existing folder for videos on their way from a provider, with room for them. */
  readonly downloads: string
  readonly ingest: IngestVideo
  readonly openReference: OpenReference
  /** Deletes what `ingest` stored for a task that ended otherwise meanwhile. */
  readonly discardIngested: (taskId: TaskId, of?: OfLeases) => Promise<void>
  /** Told when a task has ended: what is to be delivered is due. */
  readonly onEnded: () => void
  /** Told when a task stands in the queue of another provider. */
  readonly onRequeued: () => void
  readonly log: Logger
  /** Aborted when the process stops; a step that is cut off is taken up again by its lease. */
  readonly signal: AbortSignal
  /** 0 ≤ x < 1: spreads retries, so that tasks that failed together do not come back together. */
  readonly random: () => number
}
