import type { Json } from '../../../src/canonical/json.ts'
import type { JobState, RefusalKind, Speech, SpeechAnswer, UpstreamJob } from './speech.ts'

const CREATES: readonly string[] = ['/videos/generations', '/videos/edits', '/videos/extensions']

const WORDS: Readonly<Record<JobState, string>> = {
  queued: 'pending',
  running: 'pending',
  succeeded: 'done',
  empty: 'done',
  moderated: 'done',
  failed: 'failed',
  expired: 'expired',
  canceled: 'failed',
}

/** xAI documents no idempotency: each create bills. */
export const xaiSpeech: Speech = {
  basePath: '/v1',
  wantsKey: true,
  callOf: ({ method, path }) => {
    if (method === 'POST' && CREATES.includes(path)) return { kind: 'create' }
    const job = method === 'GET' ? /^\/videos\/([^/]+)$/.exec(path)?.[1] : undefined
    return job === undefined ? undefined : { kind: 'poll', job: decodeURIComponent(job) }
  },
  answer: ({ call, job, linkTo }) => {
    if (job === undefined) return said('unknownJob')
    return call.kind === 'create' ? { status: 200, json: { request_id: job.id } } : statusOf(job, linkTo)
  },
  refusal: said,
}

function statusOf(job: UpstreamJob, linkTo: (job: UpstreamJob) => string): SpeechAnswer {
  const status = job.statusWord ?? WORDS[job.state]
  const progress: Json = job.progress ?? 0
  if (job.state === 'queued') return { status: 202 }
  if (job.state === 'running') return { status: 202, json: { status, progress } }
  if (job.state === 'expired') return { status: 200, json: { status } }
  if (job.state === 'failed' || job.state === 'canceled') {
    const error = job.error ?? { code: 'internal_error', message: 'upstream-words: it failed' }
    return { status: 200, json: { status, error: { ...error }, video: { url: '', duration: 0 }, model: '' } }
  }
  const url = job.state === 'succeeded' ? linkTo(job) : ''
  const video = { url, duration: 6, respect_moderation: job.state !== 'moderated' }
  const usage = { cost_in_usd_ticks: 3_000_000_000 }
  return { status: 200, json: { status, video, model: 'grok-imagine-video', usage, progress: 100 } }
}

const NO_PERMISSION = 'The caller does not have permission to execute the specified operation'

const REFUSALS: Readonly<Record<RefusalKind, readonly [status: number, code: string, error: string]>> = {
  badRequest: [400, 'invalid-argument', 'upstream-words: duration must be at most 15'],
  moderated: [
    403,
    NO_PERMISSION,
    'upstream-words: Content violates usage guidelines. API key ID: 91aa, Failed check: X',
  ],
  wrongKey: [400, 'invalid-argument', 'upstream-words: Incorrect API key provided: xa***ef.'],
  forbidden: [403, NO_PERMISSION, 'upstream-words: Your team may not use this model.'],
  noBalance: [429, 'Some resource has been exhausted', 'upstream-words: Your team has used all available credits.'],
  busy: [429, 'Too many requests', 'upstream-words: slow down'],
  unknownJob: [404, 'not-found', 'upstream-words: no such request'],
  broken: [500, 'internal', 'upstream-words: oops'],
}

function said(why: RefusalKind): SpeechAnswer {
  const [status, code, error] = REFUSALS[why]
  return { status, json: { code, error } }
}
