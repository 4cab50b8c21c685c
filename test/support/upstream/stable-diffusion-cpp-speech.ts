/** The server of stable-diffusion.cpp. Source: `examples/server/api.md` there. */
import { randomBytes } from 'node:crypto'
import type { JsonObject } from '../../../src/canonical/json.ts'
import cancelled from '../../../src/providers/stable-diffusion-cpp/fixtures/cancelled.json' with { type: 'json' }
import capabilities from '../../../src/providers/stable-diffusion-cpp/fixtures/capabilities.json' with { type: 'json' }
import completed from '../../../src/providers/stable-diffusion-cpp/fixtures/completed.json' with { type: 'json' }
import failed from '../../../src/providers/stable-diffusion-cpp/fixtures/failed.json' with { type: 'json' }
import generating from '../../../src/providers/stable-diffusion-cpp/fixtures/generating.json' with { type: 'json' }
import queued from '../../../src/providers/stable-diffusion-cpp/fixtures/queued.json' with { type: 'json' }
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

export const stableDiffusionCppSpeech: Speech = {
  basePath: '',
  wantsKey: false,
  callOf,
  jobIdOf: () => `job_${randomBytes(4).toString('hex')}_00000001`,
  answer,
  refusal,
}

function callOf({ method, path }: UpstreamRequest): UpstreamCall | undefined {
  if (method === 'POST' && path === '/sdcpp/v1/vid_gen') return { kind: 'create' }
  if (method === 'GET' && path === '/sdcpp/v1/capabilities') return { kind: 'other' }
  const [, name, cancel] = /^\/sdcpp\/v1\/jobs\/([^/]+)(\/cancel)?$/.exec(path) ?? []
  if (name === undefined) return undefined
  const job = decodeURIComponent(name)
  if (cancel === undefined) return method === 'GET' ? { kind: 'poll', job } : undefined
  return method === 'POST' ? { kind: 'cancel', job } : undefined
}

function answer({ call, job }: SpeechContext): SpeechAnswer {
  if (job === undefined) return { status: 200, json: capabilities }
  if (call.kind !== 'create') {
    // What is being generated is not interrupted.
    if (call.kind === 'cancel' && job.state === 'running') return { status: 409, json: { error: 'job is not queued' } }
    return { status: 200, json: jobObject(job) }
  }
  const { id, kind, status, created } = { ...queued, id: job.id }
  return { status: 202, json: { id, kind, status, created, poll_url: `/sdcpp/v1/jobs/${id}` } }
}

const OBJECTS: Readonly<Record<JobState, JsonObject>> = {
  queued,
  running: generating,
  succeeded: completed,
  empty: { ...completed, result: null },
  failed,
  // It has no policy and no deadline.
  moderated: failed,
  expired: failed,
  canceled: cancelled,
}

function jobObject(job: UpstreamJob): JsonObject {
  const object = OBJECTS[job.state]
  const result = { ...completed.result, b64_json: job.video.toString('base64') }
  return {
    ...object,
    id: job.id,
    created: Math.floor(job.createdAt.getTime() / 1_000),
    status: job.statusWord ?? object['status'] ?? null,
    ...(job.state === 'succeeded' ? { result } : {}),
    ...(job.error === undefined ? {} : { error: { ...job.error } }),
  }
}

function refusal(kind: RefusalKind): SpeechAnswer | undefined {
  switch (kind) {
    case 'badRequest':
      return { status: 400, json: { error: 'upstream-words' } }
    case 'busy':
      return { status: 429, json: { error: 'job queue is full: upstream-words' } }
    case 'unknownJob':
      return { status: 404, json: { error: 'job not found' } }
    case 'broken':
      return { status: 500, json: { error: 'server_error', message: 'vector::_M_range_check' } }
    // Nobody is kept out by the server itself, but maybe by a proxy before it.
    case 'wrongKey':
      return { status: 401, body: Buffer.from('upstream-words') }
    default:
      return undefined
  }
}
