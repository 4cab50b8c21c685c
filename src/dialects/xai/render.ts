import type { FailureReason } from '../../canonical/failure.ts'
import { outputSeconds } from '../../canonical/generation.ts'
import { uuidOf } from '../../canonical/ids.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Task } from '../../canonical/task.ts'
import type { JsonAnswer, RenderContext } from '../dialect.ts'

/** 10^10 ticks are 1 USD, and a credit is nominally 0.01 USD. */
const TICKS_PER_CREDIT = 100_000_000n

/** The vendor's documented words for why a video failed. A moderated one has not failed: see `moderatedBody`. */
type XaiFailureCode =
  | 'invalid_argument'
  | 'permission_denied'
  | 'failed_precondition'
  | 'service_unavailable'
  | 'internal_error'

const CODE_OF: Readonly<Record<Exclude<FailureReason, 'moderated'>, XaiFailureCode>> = {
  unsupported_input: 'invalid_argument',
  generation_failed: 'internal_error',
  provider_unavailable: 'service_unavailable',
  internal: 'internal_error',
}

export function renderCreated({ task, replayed }: { task: Task; replayed: boolean }): JsonAnswer {
  const answer = { status: 200, body: { request_id: uuidOf(task.id) } }
  return replayed ? { ...answer, headers: { 'idempotent-replayed': 'true' } } : answer
}

/** However a video ended, reading it is a success: HTTP 200. While it is made, 202. */
export function renderStatus(task: Task, context: RenderContext): JsonAnswer {
  const body = statusBody(task, context)
  return { status: body['status'] === 'pending' ? 202 : 200, body }
}

function statusBody(task: Task, context: RenderContext): JsonObject {
  switch (task.state) {
    case 'queued':
    case 'submitting':
    case 'running':
    case 'collecting':
      return { status: 'pending', progress: task.progress }
    case 'succeeded':
      return doneBody(task, context)
    case 'failed': {
      const { reason, message } = task.failure ?? { reason: 'internal', message: 'The generation failed.' }
      return reason === 'moderated' ? moderatedBody(task) : failedBody(task, { code: CODE_OF[reason], message })
    }
    case 'canceled':
      return failedBody(task, { code: 'failed_precondition', message: 'The generation was canceled.' })
    case 'expired':
      return { status: 'expired' }
  }
}

function doneBody(task: Task, { urlOf }: RenderContext): JsonObject {
  const video = task.media.find((media) => media.kind === 'video')
  if (video === undefined) throw new Error(`task ${task.id} succeeded without a video`)
  if (video.deletedAt !== undefined) return deletedBody(task, video.deletedAt)
  return {
    status: 'done',
    video: { url: urlOf(video), duration: wholeSeconds(task), respect_moderation: true },
    model: task.request.model,
    usage: usageOf(task),
    progress: 100,
  }
}

/** Documented as a whole number, which is what an edit of 5.5 s is not; of an extension, with its source. */
function wholeSeconds({ request }: Task): number {
  return Math.round(outputSeconds(request))
}

/** Ours: the vendor has no word for a video past its time in storage, and clients take `expired` for what it is. */
function deletedBody(task: Task, deletedAt: Date): JsonObject {
  const message = `The video was deleted on ${deletedAt.toISOString()}, when its time in storage was over.`
  return {
    status: 'expired',
    error: { code: 'failed_precondition' satisfies XaiFailureCode, message },
    model: task.request.model,
    usage: usageOf(task),
  }
}

/** The vendor's clients look at `respect_moderation` of a video that is done. */
function moderatedBody(task: Task): JsonObject {
  return {
    status: 'done',
    video: { url: '', duration: 0, respect_moderation: false },
    model: task.request.model,
    usage: usageOf(task),
    progress: 100,
  }
}

/** Where there is a `video`, the vendor's clients insist on a text for its `url`. */
function failedBody(task: Task, error: { code: XaiFailureCode; message: string }): JsonObject {
  return {
    status: 'failed',
    error,
    video: { url: '', duration: 0, respect_moderation: true },
    model: task.request.model,
  }
}

function usageOf(task: Task): JsonObject {
  return { cost_in_usd_ticks: Number(task.finalCredits * TICKS_PER_CREDIT) }
}
