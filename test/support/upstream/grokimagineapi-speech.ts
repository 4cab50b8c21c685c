import type { Json } from '../../../src/canonical/json.ts'
import type { JobState, RefusalKind, Speech, SpeechAnswer, UpstreamJob } from './speech.ts'

const WORDS: Readonly<Record<JobState, string>> = {
  queued: 'pending',
  running: 'processing',
  succeeded: 'completed',
  empty: 'completed',
  moderated: 'failed',
  failed: 'failed',
  expired: 'failed',
  canceled: 'failed',
}

/** No idempotency is documented: each create bills. */
export const grokimagineapiSpeech: Speech = {
  basePath: '',
  wantsKey: true,
  callOf: ({ method, path, query }) => {
    if (method === 'POST' && path === '/v1/generate') return { kind: 'create' }
    const job = query.get('task_id')
    return method === 'GET' && path === '/v1/status' && job !== null ? { kind: 'poll', job } : undefined
  },
  answer: ({ call, job, linkTo }) => {
    if (job === undefined) return said('unknownJob')
    return envelope(call.kind === 'create' ? { task_id: job.id } : statusOf(job, linkTo))
  },
  refusal: said,
}

function envelope(data: Json): SpeechAnswer {
  return { status: 200, json: { code: 200, message: 'success', data } }
}

function statusOf(job: UpstreamJob, linkTo: (job: UpstreamJob) => string): Json {
  return {
    consumed_credits: job.state === 'succeeded' ? 40 : 0,
    created_at: job.createdAt.toISOString().replace(/\.\d+/, ''),
    status: job.statusWord ?? WORDS[job.state],
    task_id: job.id,
    error_message: errorOf(job),
    request: JSON.parse(job.request.body.toString()),
    response: job.state === 'succeeded' ? [linkTo(job)] : [],
  }
}

function errorOf({ state, error }: UpstreamJob): string | null {
  if (state === 'moderated') return 'Inappropriate content, please try another prompt.'
  return WORDS[state] === 'failed' ? (error?.message ?? 'grok imagine build failed') : null
}

const REFUSALS: Readonly<Record<RefusalKind, readonly [status: number, error: string, message: string]>> = {
  badRequest: [400, 'INVALID_REQUEST', 'upstream-words: The prompt parameter is required'],
  moderated: [400, 'INVALID_REQUEST', 'Inappropriate content, please try another prompt. upstream-words'],
  wrongKey: [401, 'UNAUTHORIZED', 'upstream-words: wrong token'],
  forbidden: [403, 'FORBIDDEN', 'upstream-words: not yours'],
  noBalance: [402, 'INSUFFICIENT_CREDITS', 'upstream-words: no credits'],
  busy: [429, 'RATE_LIMITED', 'upstream-words: slow down'],
  unknownJob: [404, 'NOT_FOUND', 'upstream-words: no such task'],
  broken: [500, 'INTERNAL_ERROR', 'upstream-words: oops'],
}

function said(why: RefusalKind): SpeechAnswer {
  const [status, error, message] = REFUSALS[why]
  return { status, json: { code: status, message, error } }
}
