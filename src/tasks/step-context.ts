import type { Logger } from 'pino'
import type { TaskId } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { Ingest, MediaRecord } from '../media/ingest.ts'
import type { OpenReference, Provider } from '../providers/provider.ts'

/** What a finished video is stored with; where it is stored is known to whoever put the platform together. */
export type FinishedVideo = Pick<Ingest, 'path' | 'taskId' | 'request' | 'provider' | 'sourceType' | 'keepSeconds'>

/** Checks, marks and stores a finished video. Running it again leaves the same files under the same ids. */
export type IngestVideo = (video: FinishedVideo) => Promise<MediaRecord[]>

/** What a step works with. */
export interface StepContext {
  readonly db: Queryable
  readonly provider: Provider
  readonly ingest: IngestVideo
  readonly openReference: OpenReference
  /** Deletes what `ingest` stored for a task that ended otherwise meanwhile. */
  readonly discardIngested: (taskId: TaskId) => Promise<void>
  /** Told when a task has ended: what is to be delivered is due. */
  readonly onEnded: () => void
  readonly log: Logger
  /** Aborted when the process stops; a step that is cut off is taken up again by its lease. */
  readonly signal: AbortSignal
  /** 0 ≤ x < 1: spreads retries, so that tasks that failed together do not come back together. */
  readonly random: () => number
}
