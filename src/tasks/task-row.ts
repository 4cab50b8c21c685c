import type { Failure, FailureReason } from '../canonical/failure.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { idOf } from '../canonical/ids.ts'
import type { Json } from '../canonical/json.ts'
import type { MediaKind, Task, TaskMedia } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'

/** A media row as JSON inside a task's row: timestamps are ISO 8601 texts. */
interface MediaJson {
  id: string
  kind: MediaKind
  mime_type: string
  size_bytes: number
  width: number | null
  height: number | null
  duration_seconds: number | null
  expires_at: string
  deleted_at: string | null
}

/** A task with its media and its place in the queue, as the statements in `queries.ts` select it. */
export interface TaskRow extends Record<string, unknown> {
  id: string
  dialect: string
  model: string
  provider: string
  request: GenerationRequest
  /** Only where `SHOWN_BODY` is selected. */
  body?: Json | null
  client_request_id: string | null
  trace_id: string
  state: TaskState
  progress: number
  price_credits: bigint
  final_credits: bigint
  failure_reason: FailureReason | null
  failure_message: string | null
  cancel_requested_at: Date | null
  created_at: Date
  updated_at: Date
  finished_at: Date | null
  media: MediaJson[] | null
  queue_position: bigint | null
}

export const TASK_COLUMNS = `
  t.id, t.dialect, t.model, t.provider, t.request, t.client_request_id, t.trace_id, t.state, t.progress, t.price_credits, t.final_credits,
  t.failure_reason, t.failure_message, t.cancel_requested_at, t.created_at, t.updated_at, t.finished_at,
  case when t.state = 'succeeded' then (
    select json_agg(json_build_object('id', m.id, 'kind', m.kind, 'mime_type', m.mime_type, 'size_bytes', m.size_bytes,
      'width', m.width, 'height', m.height, 'duration_seconds', m.duration_seconds,
      'expires_at', m.expires_at,
      'deleted_at', coalesce(m.deleted_at, case when m.expires_at <= now() then m.expires_at end)) order by m.kind)
    from media m where m.task_id = t.id) end as media`

/** Beside `TASK_COLUMNS`, where the body is shown: up to 64 KB a task, and so in no list. */
export const SHOWN_BODY = 't.body'

/** Counting stops here: beyond, a position says no more than "far back", and counting would cost more than it tells. */
export const MAX_QUEUE_POSITION = 1_000

/** How many of the same wallet's tasks are admitted before this one. */
export const QUEUE_POSITION = `
  case when t.state = 'queued' then (
    select count(*) from (
      select from tasks q
      where q.state = 'queued' and q.parked_at is null and q.provider = t.provider and q.wallet_id = t.wallet_id
        and (q.created_at, q.id) < (t.created_at, t.id) limit ${MAX_QUEUE_POSITION}
    ) ahead) end as queue_position`

export function taskOf(row: TaskRow): Task {
  return {
    id: idOf('task', row.id),
    dialect: row.dialect,
    model: row.model,
    provider: row.provider,
    request: row.request,
    body: row.body ?? undefined,
    clientRequestId: row.client_request_id ?? undefined,
    state: row.state,
    progress: row.progress,
    priceCredits: row.price_credits,
    finalCredits: row.final_credits,
    failure: failureOf(row),
    media: (row.media ?? []).map(mediaOf),
    traceId: idOf('req', row.trace_id),
    cancelRequested: row.cancel_requested_at !== null,
    queuePosition: row.queue_position === null ? undefined : Number(row.queue_position),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    finishedAt: row.finished_at ?? undefined,
  }
}

function failureOf(row: TaskRow): Failure | undefined {
  if (row.failure_reason === null) return undefined
  return { reason: row.failure_reason, message: row.failure_message ?? '' }
}

function mediaOf(media: MediaJson): TaskMedia {
  return {
    id: idOf('med', media.id),
    kind: media.kind,
    mimeType: media.mime_type,
    sizeBytes: media.size_bytes,
    width: media.width ?? undefined,
    height: media.height ?? undefined,
    durationSeconds: media.duration_seconds ?? undefined,
    expiresAt: new Date(media.expires_at),
    deletedAt: media.deleted_at === null ? undefined : new Date(media.deleted_at),
  }
}
