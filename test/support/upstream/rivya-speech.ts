import type { Json } from '../../../src/canonical/json.ts'
import { formParts } from './form-parts.ts'
import type { JobState, RefusalKind, Speech, SpeechAnswer, SpeechContext, UpstreamJob } from './speech.ts'

const WORDS: Readonly<Record<JobState, string>> = {
  queued: 'queued',
  running: 'processing',
  succeeded: 'succeeded',
  empty: 'succeeded',
  moderated: 'failed',
  failed: 'failed',
  expired: 'failed',
  canceled: 'canceled',
}

/** What belongs to no job. */
const OTHERS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['/api/v1/credits', { current_credits: 123 }],
  ['/api/v1/models', { object: 'list', data: [{ id: 'grok-imagine-video', object: 'model' }] }],
])

/** Rivya documents `Idempotency-Key`: the same key makes one task. */
export const rivyaSpeech: Speech = {
  basePath: '',
  wantsKey: true,
  callOf: ({ method, path }) => {
    if (method === 'POST' && path === '/api/v1/generations') return { kind: 'create' }
    if (method === 'POST' && path === '/api/v1/files') return { kind: 'upload' }
    if (method === 'GET' && OTHERS.has(path)) return { kind: 'other' }
    const job = method === 'GET' ? /^\/api\/v1\/generations\/([^/]+)$/.exec(path)?.[1] : undefined
    return job === undefined ? undefined : { kind: 'poll', job: decodeURIComponent(job) }
  },
  idempotencyKeyOf: ({ headers }) => {
    const key = headers['idempotency-key']
    return typeof key === 'string' ? key : undefined
  },
  answer: (context) => {
    const { call, job } = context
    if (call.kind === 'upload') return upload(context)
    if (call.kind === 'other') return { status: 200, json: OTHERS.get(context.request.path) ?? null }
    if (job === undefined) return said('unknownJob') ?? { status: 404 }
    if (call.kind === 'create' && job.request.body.compare(context.request.body) !== 0) return CONFLICT
    return { status: 200, json: taskOf(job, context) }
  },
  refusal: said,
}

const CONFLICT: SpeechAnswer = {
  status: 409,
  json: { error: { code: 'idempotency_conflict', message: 'upstream-words: another body', requestId: 'req_1' } },
}

function upload({ request, keepUpload }: SpeechContext): SpeechAnswer {
  const file = formParts(request)?.find(({ name }) => name === 'file')
  if (file === undefined) return said('badRequest') ?? { status: 400 }
  const name = keepUpload(file.bytes)
  return { status: 200, json: { id: `file_${name}`, url: `https://files.example.com/${name}.png`, kind: 'image' } }
}

function taskOf(job: UpstreamJob, { now, linkTo }: SpeechContext): Json {
  const url = job.state === 'succeeded' ? linkTo(job) : undefined
  const hasFailed = WORDS[job.state] === 'failed'
  const error = job.error ?? { code: 'generation_failed', message: 'upstream-words: it failed' }
  return {
    id: job.id,
    status: job.statusWord ?? WORDS[job.state],
    model: 'grok-imagine-video',
    reserved_credits: 10,
    final_credits: url === undefined ? 0 : 10,
    created_at: job.createdAt.toISOString(),
    updated_at: now.toISOString(),
    result: url === undefined ? null : { primary_url: url, urls: [url] },
    error: hasFailed ? { ...error } : null,
  }
}

const REFUSALS: Readonly<Partial<Record<RefusalKind, readonly [status: number, code: string]>>> = {
  badRequest: [400, 'validation_failed'],
  wrongKey: [401, 'api_key_invalid'],
  forbidden: [403, 'api_scope_denied'],
  noBalance: [402, 'insufficient_credits'],
  busy: [429, 'rate_limited'],
  unknownJob: [404, 'not_found'],
  broken: [503, 'public_api_disabled'],
}

function said(why: RefusalKind): SpeechAnswer | undefined {
  const refusal = REFUSALS[why]
  if (refusal === undefined) return undefined
  const [status, code] = refusal
  return { status, json: { error: { code, message: 'upstream-words: no', requestId: 'req_1' } } }
}
