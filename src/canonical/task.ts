import type { Failure } from './failure.ts'
import type { GenerationRequest } from './generation.ts'
import type { Id, MediaId, TaskId } from './ids.ts'
import type { Json } from './json.ts'
import type { TaskState } from './task-state.ts'

export const MEDIA_KINDS = ['video', 'poster', 'spritesheet', 'manifest'] as const
export type MediaKind = (typeof MEDIA_KINDS)[number]

/** A file that a task produced, as its owner may see it. */
export interface TaskMedia {
  readonly id: MediaId
  readonly kind: MediaKind
  readonly mimeType: string
  readonly sizeBytes: number
  readonly width: number | undefined
  readonly height: number | undefined
  readonly durationSeconds: number | undefined
  /** When retention deletes the file. */
  readonly expiresAt: Date
  /** Set once its time is over, whether or not retention has come by: no link serves it from then on. */
  readonly deletedAt: Date | undefined
}

/** A task as dialects render it. Money is in whole credits. */
export interface Task {
  readonly id: TaskId
  /** The dialect it was created in; it can be read in any. */
  readonly dialect: string
  readonly model: string
  /** Who makes it, by the name that the operator gave. */
  readonly provider: string
  readonly request: GenerationRequest
  /**
   * The body as the customer sent it: of a dialect whose reads show it, and where the task was read by itself or with the
   * others of a batch. No list has it.
   */
  readonly body: Json | undefined
  readonly clientRequestId: string | undefined
  readonly state: TaskState
  /** 0–100; never goes back. */
  readonly progress: number
  /** Quoted at creation and held until the task ends. */
  readonly priceCredits: bigint
  /** Charged: the price if it succeeded, else 0. */
  readonly finalCredits: bigint
  /** Set exactly when `state` is `failed`. */
  readonly failure: Failure | undefined
  /** Empty until `succeeded`. */
  readonly media: readonly TaskMedia[]
  /** The request that created it: the same id is in the log. */
  readonly traceId: Id<'req'>
  readonly cancelRequested: boolean
  /** While queued: how many of the same wallet's tasks go first. */
  readonly queuePosition: number | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly finishedAt: Date | undefined
}

/** One page of a wallet's tasks. */
export interface TaskPage {
  readonly tasks: readonly Task[]
  /** Whether there are more beyond the last one. */
  readonly hasMore: boolean
}
