/** A server of the OpenAI Videos shape. Source: the API reference, and what SGLang-diffusion and vLLM-Omni do with it. */
import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../../../src/canonical/json.ts'
import completed from '../../../src/providers/openai-videos/fixtures/completed.json' with { type: 'json' }
import created from '../../../src/providers/openai-videos/fixtures/created.json' with { type: 'json' }
import failed from '../../../src/providers/openai-videos/fixtures/failed.json' with { type: 'json' }
import inProgress from '../../../src/providers/openai-videos/fixtures/in-progress.json' with { type: 'json' }
import moderated from '../../../src/providers/openai-videos/fixtures/moderated.json' with { type: 'json' }
import refused from '../../../src/providers/openai-videos/fixtures/refused.json' with { type: 'json' }
import formWanted from '../../../src/providers/openai-videos/fixtures/refused-form-wanted.json' with { type: 'json' }
import { formParts } from './form-parts.ts'
import type {
  JobState,
  RefusalKind,
  Speech,
  SpeechAnswer,
  SpeechContext,
  UpstreamCall,
  UpstreamJob,
  UpstreamRequest,
} from './speech.ts'

export interface OpenaiVideosOptions {
  /** As another Reelay does; the vendor documents nothing. */
  readonly honoursIdempotencyKey?: boolean
  /** As vLLM-Omni: JSON is answered as if nothing had come. */
  readonly readsFormsOnly?: boolean
  /** What `GET /models` lists; by default there is no such endpoint. */
  readonly models?: readonly string[]
}

export function openaiVideosSpeech(options: OpenaiVideosOptions = {}): Speech {
  const speech: Speech = {
    basePath: '/v1',
    wantsKey: true,
    callOf: (request) => callOf(request, options),
    jobIdOf: () => `video_${randomBytes(20).toString('hex')}`,
    answer: (context) => (context.request.path === '/models' ? listOf(options.models ?? []) : answer(context)),
    refusal,
  }
  if (options.honoursIdempotencyKey !== true) return speech
  return { ...speech, idempotencyKeyOf: ({ headers }) => headers['idempotency-key']?.toString() }
}

function listOf(models: readonly string[]): SpeechAnswer {
  return { status: 200, json: { object: 'list', data: models.map((id) => ({ id, object: 'model' })) } }
}

function callOf(
  request: UpstreamRequest,
  { readsFormsOnly = false, models }: OpenaiVideosOptions,
): UpstreamCall | undefined {
  const { method, path } = request
  if (method === 'GET' && (path === '/videos' || (path === '/models' && models !== undefined))) return { kind: 'other' }
  if (path === '/videos' && method === 'POST') {
    return readsFormsOnly && formParts(request) === undefined ? { kind: 'other' } : { kind: 'create' }
  }
  const [, name, content] = /^\/videos\/([^/]+)(\/content)?$/.exec(path) ?? []
  if (name === undefined) return undefined
  const job = decodeURIComponent(name)
  if (method === 'DELETE' && content === undefined) return { kind: 'cancel', job }
  if (method !== 'GET') return undefined
  return { kind: content === undefined ? 'poll' : 'content', job }
}

function answer({ call, job, request: { method } }: SpeechContext): SpeechAnswer {
  if (job === undefined) {
    if (method === 'POST') return { status: 422, json: formWanted }
    if (call.kind === 'other') return { status: 200, json: { object: 'list', data: [], has_more: false } }
    throw new Error('there is no job to speak of')
  }
  if (call.kind === 'cancel') return { status: 200, json: { id: job.id, deleted: true, object: 'video.deleted' } }
  return { status: 200, json: videoObject(job) }
}

const OBJECTS: Readonly<Record<JobState, JsonObject>> = {
  queued: created,
  running: inProgress,
  succeeded: completed,
  empty: completed,
  failed,
  moderated,
  // As another Reelay tells.
  expired: { ...failed, error: { code: 'expired', message: 'The generation took too long.' } },
  canceled: { ...failed, error: { code: 'canceled', message: 'The generation was canceled.' } },
}

function videoObject(job: UpstreamJob): JsonObject {
  const object = OBJECTS[job.state]
  return {
    ...object,
    id: job.id,
    created_at: Math.floor(job.createdAt.getTime() / 1_000),
    status: job.statusWord ?? object['status'] ?? null,
    ...(job.progress === undefined ? {} : { progress: job.progress }),
    ...(job.error === undefined ? {} : { error: { ...job.error } }),
  }
}

function refusal(kind: RefusalKind): SpeechAnswer {
  switch (kind) {
    case 'badRequest':
      return { status: 400, json: { error: { ...refused.error, message: 'upstream-words' } } }
    case 'moderated':
      return refusedAs(400, 'moderation_blocked', 'Your request was blocked by our moderation system: upstream-words.')
    case 'wrongKey':
      return refusedAs(401, 'invalid_api_key', 'Incorrect API key provided: upstream-words.')
    case 'forbidden':
      return refusedAs(
        403,
        'insufficient_permissions',
        'You have insufficient permissions for this operation: upstream-words.',
      )
    case 'noBalance':
      return refusedAs(
        429,
        'insufficient_quota',
        'You exceeded your current quota, please check your plan: upstream-words.',
      )
    case 'busy':
      return refusedAs(429, 'rate_limit_exceeded', 'Rate limit reached for requests: upstream-words.')
    case 'unknownJob':
      return refusedAs(404, 'video_not_found', 'Video not found: upstream-words.')
    case 'broken':
      return refusedAs(500, 'server_error', 'The server had an error while processing your request: upstream-words.')
  }
}

function refusedAs(status: number, code: string, message: string): SpeechAnswer {
  return { status, json: { error: { message, type: 'invalid_request_error', param: null, code } } }
}
