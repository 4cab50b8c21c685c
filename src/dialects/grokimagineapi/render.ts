import type { Json, JsonObject } from '../../canonical/json.ts'
import type { Task } from '../../canonical/task.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import type { JsonAnswer, RenderContext } from '../dialect.ts'
import { errorMessageOf } from './errors.ts'

/** The vendor documents `completed`; the other three words are ours. */
const STATUS_OF: Readonly<Record<TaskState, 'pending' | 'processing' | 'completed' | 'failed'>> = {
  queued: 'pending',
  submitting: 'processing',
  running: 'processing',
  collecting: 'processing',
  succeeded: 'completed',
  failed: 'failed',
  canceled: 'failed',
  expired: 'failed',
}

export function renderGenerated({ task, replayed }: { task: Task; replayed: boolean }): JsonAnswer {
  const answer = success({ task_id: task.id })
  return replayed ? { ...answer, headers: { 'idempotent-replayed': 'true' } } : answer
}

/** The header is ours: the documented object has no place for progress. */
export function renderStatus(task: Task, { urlOf }: RenderContext): JsonAnswer {
  const videos = task.media.filter((media) => media.kind === 'video' && media.deletedAt === undefined)
  const answer = success({
    // What was consumed, not what is held: 0 until the video is there (ours).
    consumed_credits: Number(task.finalCredits),
    created_at: secondsOf(task.createdAt),
    status: STATUS_OF[task.state],
    task_id: task.id,
    error_message: errorMessageOf(task) ?? deletionMessageOf(task),
    request: requestOf(task),
    response: videos.map(urlOf),
  })
  return { ...answer, headers: { 'generation-progress': String(task.progress) } }
}

/** Ours: without it a video past its time in storage would be `completed` with nothing in `response`, unexplained. */
function deletionMessageOf({ media }: Task): string | null {
  const deletedAt = media.find(({ kind }) => kind === 'video')?.deletedAt
  if (deletedAt === undefined) return null
  return `The video was deleted on ${deletedAt.toISOString()}, when its time in storage was over.`
}

function success(data: JsonObject): JsonAnswer {
  return { status: 200, body: { code: 200, message: 'success', data } }
}

/** Documented without milliseconds: `2024-01-01T00:00:00Z`. */
function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** The body as it was sent; of a task that another dialect made, what would have been sent here, but for its files. */
function requestOf({ dialect, body, request }: Task): Json {
  if (dialect === 'grokimagineapi' && body !== undefined) return body
  const { mode, prompt, aspectRatio } = request
  return { mode, prompt, ...(aspectRatio === 'source' ? {} : { ratio: aspectRatio }) }
}
