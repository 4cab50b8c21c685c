/**
 * grokimagineapi.com, base URL `https://grokimagineapi.com`. It documents no idempotency, so a create whose answer is lost
 * stays in doubt; and pictures by public URL only, which references here do not have, so none are taken.
 */
import type { GenerationRequest } from '../../canonical/generation.ts'
import type { Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { configured } from '../upstream/configured.ts'
import { linkReader } from '../upstream/download.ts'
import { jobIdIn } from '../upstream/job-answer.ts'
import { readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { Upstream } from '../upstream/upstream.ts'
import { readStatus } from './read-status.ts'
import { refusedCreate, withBodyCode } from './refused-create.ts'
import { envelope } from './wire.ts'

/** The one model there is: requests do not name it. */
const MODEL = 'grok-imagine-video'

/** The API lets nobody choose; what its model makes when nobody does. */
const SECONDS = 6
const RESOLUTION = '480p'

/** The vendor documents none; modest, until an operator knows the account's. */
const CONCURRENCY = 20

/** Of the smallest plan. Documented for all requests; polls, a few per job, leave it nearly to the creates. */
const REQUESTS_PER_MINUTE = 100

/** A create only queues. Below the 30 s after which a start is given up, so that the cause is told. */
const TIMEOUT_MS = 25_000

/** The vendor gives no advice; a video takes about a minute, and polls count against the minute's requests. */
const POLL_EVERY_MS = 10_000

/** Documented: 40 credits a generation, about 0.4 US dollars. */
const MICRO_USD = 400_000

/** Of the catalog's model. */
const MAX_PROMPT_CHARACTERS = 5_000

/** What a check may be answered about a job that is not there. */
const LET_IN: readonly number[] = [200, 400, 404]

export function createGrokimagineapiProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: false,
      concurrency: CONCURRENCY,
      requestsPerMinute: REQUESTS_PER_MINUTE,
      pollEveryMs: POLL_EVERY_MS,
      costMicroUsd: () => MICRO_USD,
    }),
    abilities: {
      durationSeconds: { min: SECONDS, max: SECONDS },
      resolutions: [RESOLUTION],
      aspectRatios: ['1:1', '16:9', '9:16', '2:3', '3:2'],
      operations: ['generate'],
      roles: [],
    },
    takes,

    async start({ mode, prompt, aspectRatio }, { token, credential, signal }) {
      const call = await upstream.create({
        method: 'POST',
        path: '/v1/generate',
        headers: { 'idempotency-key': token },
        json: { mode, prompt, ratio: aspectRatio },
        credential,
        signal,
      })
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      const isWell = answer.status >= 200 && answer.status <= 299
      const id = isWell ? jobIdIn(answer.json, 'task_id') : undefined
      if (id === undefined) return refusedCreate(answer)
      return { kind: 'accepted', operation: toJobOperation({ id, credential }) }
    },

    async poll(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/v1/status?task_id=${encodeURIComponent(id)}`
      const answer = withBodyCode(await upstream.read({ method: 'GET', path, credential, signal }))
      const videoAt = linkReader({ upstream, fetchPolicy: settings.fetchPolicy, credential, askedPath: path })
      return unansweredPoll(answer) ?? readStatus(answer, videoAt)
    },

    async check({ signal }) {
      const path = '/v1/status?task_id=task_check'
      const { status, json, shown } = withBodyCode(await upstream.read({ method: 'GET', path, signal }))
      if (!LET_IN.includes(status) || !envelope.safeParse(json).success)
        throw new Error(`Asked for a job that is not there, it answers ${status}: ${shown}`)
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }

  function takes({ model, prompt }: GenerationRequest): boolean {
    return (settings.model ?? model) === MODEL && prompt !== '' && [...prompt].length <= MAX_PROMPT_CHARACTERS
  }
}
