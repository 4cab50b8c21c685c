import { isJsonObject, type Json, type JsonObject } from '../../../src/canonical/json.ts'
import type { RefusalKind, Speech, SpeechAnswer, SpeechContext, UpstreamJob, UpstreamRequest } from './speech.ts'

/** No idempotency is documented: each create bills. */
export const acedataSpeech: Speech = {
  basePath: '',
  wantsKey: true,
  callOf: (request) => {
    if (request.method !== 'POST') return undefined
    if (request.path === '/grok/videos') return { kind: 'create' }
    const id = request.path === '/grok/tasks' ? bodyOf(request)['id'] : undefined
    return typeof id === 'string' ? { kind: 'poll', job: id } : undefined
  },
  answer: ({ call, job, linkTo }) => {
    if (job === undefined) return said('unknownJob')
    return { status: 200, json: call.kind === 'create' ? { task_id: job.id } : taskOf(job, linkTo) }
  },
  refusal: said,
}

function bodyOf({ body }: UpstreamRequest): JsonObject {
  const json: Json = JSON.parse(body.toString())
  return isJsonObject(json) ? json : {}
}

function taskOf(job: UpstreamJob, linkTo: SpeechContext['linkTo']): Json {
  const response = responseOf(job, linkTo)
  return {
    id: job.id,
    request: bodyOf(job.request),
    type: 'videos',
    ...(response === undefined ? {} : { response }),
    created_at: job.createdAt.getTime() / 1_000,
    trace_id: job.id,
  }
}

function responseOf(job: UpstreamJob, linkTo: SpeechContext['linkTo']): JsonObject | undefined {
  const video = { id: `grok-imagine-video:${job.id}` }
  const whole = (state: string, url: string) => ({ success: true, data: [{ ...video, state, video_url: url }] })
  if (job.statusWord !== undefined) return whole(job.statusWord, '')
  switch (job.state) {
    case 'queued':
      return undefined
    case 'running':
      return whole('pending', '')
    case 'succeeded':
      return whole('succeeded', linkTo(job))
    case 'empty':
      return whole('succeeded', '')
    case 'moderated':
      return { success: false, error: { code: 'forbidden', message: 'upstream-words: the policy' } }
    default:
      return { success: false, error: { ...(job.error ?? { code: 'api_error', message: 'upstream-words: failed' }) } }
  }
}

const REFUSALS: Readonly<Record<RefusalKind, readonly [status: number, code: string]>> = {
  badRequest: [400, 'bad_request'],
  moderated: [403, 'forbidden'],
  wrongKey: [401, 'invalid_token'],
  forbidden: [400, 'token_mismatched'],
  noBalance: [403, 'used_up'],
  busy: [429, 'too_many_requests'],
  unknownJob: [404, 'not_found'],
  broken: [500, 'api_error'],
}

function said(why: RefusalKind): SpeechAnswer {
  const [status, code] = REFUSALS[why]
  return { status, json: { success: false, error: { code, message: 'upstream-words: no' }, trace_id: 'trace' } }
}
