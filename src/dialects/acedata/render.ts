import { uuidOf } from '../../canonical/ids.ts'
import type { Json, JsonObject } from '../../canonical/json.ts'
import type { Task } from '../../canonical/task.ts'
import { isTerminal } from '../../canonical/task-state.ts'
import type { JsonAnswer, RenderContext } from '../dialect.ts'
import { errorOf } from './errors.ts'

type Links = Pick<RenderContext, 'urlOf'>

/** What is answered at once. The vendor documents `task_id`; the other two are ours, as the sync answer has them. */
export function renderAccepted({ task, replayed }: { task: Task; replayed: boolean }): JsonAnswer {
  const body = { success: true, task_id: uuidOf(task.id), trace_id: uuidOf(task.traceId) }
  return { status: 200, headers: replayHeaders(replayed), body }
}

/** The sync answer about a task that has ended: with a video, or with the error and its HTTP status. */
export function renderEnded({ task, replayed }: { task: Task; replayed: boolean }, links: Links): JsonAnswer {
  return { status: errorOf(task)?.status ?? 200, headers: replayHeaders(replayed), body: endedBody(task, links) }
}

/** Ours, as in the other dialects: this task was made by an earlier request with the same `Idempotency-Key`. */
export function replayHeaders(replayed: boolean): Readonly<Record<string, string>> {
  return replayed ? { 'idempotent-replayed': 'true' } : {}
}

export function renderCallback(task: Task, links: Links): Json {
  return endedBody(task, links)
}

/** The sync answer's body. */
export function endedBody(task: Task, { urlOf }: Links): JsonObject {
  const ids = { task_id: uuidOf(task.id), trace_id: uuidOf(task.traceId) }
  const error = errorOf(task)
  if (error !== undefined) return { success: false, ...ids, error: { code: error.code, message: error.message } }
  const video = task.media.find((media) => media.kind === 'video')
  if (video === undefined) throw new Error(`task ${task.id} succeeded without a video`)
  const item = { id: videoIdOf(task), state: 'succeeded' }
  if (video.deletedAt === undefined) return { success: true, ...ids, data: [{ ...item, video_url: urlOf(video) }] }
  // Ours: the vendor has no word for a video past its time in storage.
  const message = `The video was deleted on ${video.deletedAt.toISOString()}, when its time in storage was over.`
  return { success: true, ...ids, data: [{ ...item, message }] }
}

/** Documented as `<model>:<uuid>`. Ours is the task's, so that the id is the same before the video is there and after. */
export function videoIdOf(task: Task): string {
  return `${task.model}:${uuidOf(task.id)}`
}

export function renderTask(task: Task, links: Links): JsonAnswer {
  return { status: 200, headers: { 'generation-progress': String(task.progress) }, body: taskObject(task, links) }
}

export function renderTasks(tasks: readonly Task[], links: Links): JsonAnswer {
  return { status: 200, body: { items: tasks.map((task) => taskObject(task, links)), count: tasks.length } }
}

function taskObject(task: Task, links: Links): JsonObject {
  return {
    id: uuidOf(task.id),
    request: requestOf(task),
    type: 'videos',
    ...(isTerminal(task.state) ? { response: endedBody(task, links) } : {}),
    created_at: secondsOf(task.createdAt),
    ...(task.finishedAt === undefined ? {} : { finished_at: secondsOf(task.finishedAt) }),
    trace_id: uuidOf(task.traceId),
  }
}

/** Seconds of the Unix epoch with fractions: ours, for the vendor says "timestamps" and no more. */
function secondsOf(date: Date): number {
  return date.getTime() / 1_000
}

/** The body as it was sent; of a task that another dialect made, what would have been sent here, but for its files. */
function requestOf({ dialect, body, model, request }: Task): Json {
  if (dialect === 'acedata' && body !== undefined) return body
  const { prompt, aspectRatio, resolution, durationSeconds } = request
  const ratio = aspectRatio === 'source' ? {} : { aspect_ratio: aspectRatio }
  return { prompt, model, ...ratio, resolution, duration: durationSeconds }
}
