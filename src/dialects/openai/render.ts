import type { FailureReason } from '../../canonical/failure.ts'
import { frameSize, outputSeconds, referenceOf } from '../../canonical/generation.ts'
import type { TaskId } from '../../canonical/ids.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Model } from '../../canonical/model.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { MediaKind, Task, TaskMedia, TaskPage } from '../../canonical/task.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import type { JsonAnswer, MediaAnswer, RenderContext, WireRequest } from '../dialect.ts'
import { variantOf } from './parse.ts'
import type { Variant } from './schema.ts'

type VideoStatus = 'queued' | 'in_progress' | 'completed' | 'failed'

/** The API has no cancel and no deadline: what ended otherwise has failed, and its error says how. */
const STATUS_OF: Readonly<Record<TaskState, VideoStatus>> = {
  queued: 'queued',
  submitting: 'in_progress',
  running: 'in_progress',
  collecting: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
  canceled: 'failed',
  expired: 'failed',
}

/** The API documents that there is a code, and none by name; the first is the one that its vendor was seen to send. */
const CODE_OF: Readonly<Record<FailureReason, string>> = {
  moderated: 'moderation_blocked',
  unsupported_input: 'invalid_input',
  generation_failed: 'generation_failed',
  provider_unavailable: 'provider_unavailable',
  internal: 'internal_error',
}

const KIND_OF: Readonly<Record<Variant, MediaKind>> = {
  video: 'video',
  thumbnail: 'poster',
  spritesheet: 'spritesheet',
}

export function renderCreated({ task, replayed }: { task: Task; replayed: boolean }): JsonAnswer {
  const answer = { status: 200, body: videoObject(asCreated(task)) }
  return replayed ? { ...answer, headers: { 'idempotent-replayed': 'true' } } : answer
}

/** A task as it was when it was created: so a repeated create gets the first answer again, to the letter. */
function asCreated(task: Task): Task {
  return { ...task, state: 'queued', progress: 0, failure: undefined, media: [], finishedAt: undefined }
}

export function renderVideo(task: Task): JsonAnswer {
  return { status: 200, body: videoObject(task) }
}

export function renderPage({ tasks, hasMore }: TaskPage): JsonAnswer {
  const [first, last] = [tasks[0], tasks.at(-1)]
  return {
    status: 200,
    body: {
      object: 'list',
      data: tasks.map(videoObject),
      first_id: first === undefined ? null : videoId(first.id),
      last_id: last === undefined ? null : videoId(last.id),
      has_more: hasMore,
    },
  }
}

export function renderDeleted(task: Task): JsonAnswer {
  return { status: 200, body: { id: videoId(task.id), deleted: true, object: 'video.deleted' } }
}

/** The bytes of the asked variant. */
export function renderContent(task: Task, _context: RenderContext, request: WireRequest): MediaAnswer {
  const variant = variantOf(request)
  const status = STATUS_OF[task.state]
  if (status !== 'completed') {
    throw new Refusal('media_not_found', `The video is ${status}: it has content once its status is completed.`)
  }
  const media = task.media.find(({ kind }) => kind === KIND_OF[variant])
  if (media === undefined) throw new Refusal('media_not_found', `This video has no ${variant}.`)
  if (media.deletedAt !== undefined) {
    const when = media.deletedAt.toISOString()
    throw new Refusal('media_not_found', `The ${variant} was deleted on ${when}, when its time in storage was over.`)
  }
  return { kind: 'media', media }
}

/** Every name of every model: clients look for the one that they were written for. */
export function renderModels(models: readonly Model[]): JsonAnswer {
  const ids = models.flatMap(({ id, aliases }) => [id, ...aliases])
  return { status: 200, body: { object: 'list', data: ids.map(modelObject) } }
}

export function renderModel(models: readonly Model[], _context: RenderContext, request: WireRequest): JsonAnswer {
  const id = request.params['model'] ?? ''
  if (models.some((model) => model.id === id || model.aliases.includes(id)))
    return { status: 200, body: modelObject(id) }
  throw new Refusal(
    'route_not_found',
    `There is no model ${JSON.stringify(id)}; GET /v1/models lists those that there are.`,
  )
}

function modelObject(id: string): JsonObject {
  return { id, object: 'model', created: 0, owned_by: 'reelay' }
}

function videoObject(task: Task): JsonObject {
  const { width, height } = frameSize(task.request)
  const status = STATUS_OF[task.state]
  const video = task.media.find(({ kind }) => kind === 'video')
  return {
    id: videoId(task.id),
    object: 'video',
    status,
    progress: status === 'completed' ? 100 : task.progress,
    model: task.model,
    created_at: unixSeconds(task.createdAt),
    completed_at: status === 'completed' ? unixSeconds(task.finishedAt ?? task.updatedAt) : null,
    expires_at: video === undefined ? null : unixSeconds(goneAt(video)),
    error: errorOf(task),
    prompt: task.request.prompt,
    remixed_from_video_id: remixedFrom(task),
    seconds: secondsOf(task),
    size: `${width}x${height}`,
  }
}

/**
 * The video of which this one is a remix. To edit a video of one's own is the same whatever the route is called, so every
 * edit of one has it; an edit of a file that was brought along has not, nor has an extension.
 */
function remixedFrom({ request }: Task): string | null {
  const source = request.operation === 'edit' ? referenceOf(request, 'source')?.taskId : undefined
  return source === undefined ? null : videoId(source)
}

/** Documented of extensions: with the source. Whole unless a source was not: `10`, `5.5`. */
function secondsOf({ request }: Task): string {
  return String(Math.round(outputSeconds(request) * 1_000) / 1_000)
}

/** When a file goes, or went. */
function goneAt({ expiresAt, deletedAt }: TaskMedia): Date {
  return deletedAt ?? expiresAt
}

function errorOf(task: Task): JsonObject | null {
  if (task.failure !== undefined) return { code: CODE_OF[task.failure.reason], message: task.failure.message }
  switch (task.state) {
    case 'canceled':
      return { code: 'canceled', message: 'The generation was canceled.' }
    case 'expired':
      return { code: 'expired', message: 'The generation took too long and was given up; its credits were returned.' }
    default:
      return null
  }
}

/** `video_<hex>`: a task's id in this API's form, which `parseTaskId` reads back. */
function videoId(id: TaskId): string {
  return id.replace(/^task_/, 'video_')
}

function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
