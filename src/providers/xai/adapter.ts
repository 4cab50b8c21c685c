/**
 * xAI's video API, base URL `https://api.x.ai/v1`. It documents no idempotency, no list and no cancel, so a create whose
 * answer is lost stays in doubt. Files go as data URIs, which it documents for pictures and for videos.
 */
import { ASPECT_RATIOS, RESOLUTIONS } from '../../canonical/generation.ts'
import type { Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { configured } from '../upstream/configured.ts'
import { linkReader } from '../upstream/download.ts'
import { filesToSend, type SentFile } from '../upstream/file-to-send.ts'
import { jobIdIn } from '../upstream/job-answer.ts'
import { readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { unreadable } from '../upstream/reference-bytes.ts'
import { unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { Upstream } from '../upstream/upstream.ts'
import { CREATE_PATHS, createBody } from './map-request.ts'
import { listPrice, takesRequest } from './model-limits.ts'
import { readStatus, readWithheld } from './read-status.ts'
import { refusedCreate } from './refused-create.ts'
import { refusal } from './wire.ts'

/** The vendor documents no limit of jobs at once; its limits are creates in a minute, by account. */
const CONCURRENCY = 50

/** A create only queues, but brings its files. Below the 30 s after which a start is given up, so that the cause is told. */
const TIMEOUT_MS = 25_000

/** What the vendor's own SDK for JavaScript does. */
const POLL_EVERY_MS = 5_000

/** A job that cannot be there: whoever answers that it is unknown has let us in. */
const NO_JOB = '/videos/00000000-0000-0000-0000-000000000000'

export function createXaiProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })
  const modelOf = (request: { readonly model: string }) => settings.model ?? request.model

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: false,
      concurrency: CONCURRENCY,
      pollEveryMs: POLL_EVERY_MS,
      costMicroUsd: (request) => listPrice(request, modelOf(request)),
    }),
    abilities: {
      durationSeconds: { min: 1, max: 15 },
      resolutions: RESOLUTIONS,
      aspectRatios: [...ASPECT_RATIOS, 'source'],
      operations: ['generate', 'edit', 'extend'],
      roles: ['firstFrame', 'lastFrame', 'reference', 'source'],
      // The API has no word for a mode.
      modes: ['normal'],
    },
    takes: (request) => takesRequest(request, modelOf(request)),

    async start(request, { token, credential, openReference, signal }) {
      let files: SentFile[]
      try {
        // Data URIs, which the vendor documents for pictures and for videos.
        files = await filesToSend(request, openReference)
      } catch (error) {
        return unreadable(error)
      }
      const call = await upstream.create({
        method: 'POST',
        path: CREATE_PATHS[request.operation],
        headers: { 'idempotency-key': token },
        json: createBody(request, files, modelOf(request)),
        credential,
        signal,
      })
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      if (answer.status < 200 || answer.status > 299) return refusedCreate(answer)
      const id = jobIdIn(answer.json, 'request_id')
      if (id === undefined) return { kind: 'ambiguous', cause: `HTTP ${answer.status} without an id: ${answer.shown}` }
      return { kind: 'accepted', operation: toJobOperation({ id, credential }) }
    },

    async poll(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/videos/${encodeURIComponent(id)}`
      const answer = await upstream.read({ method: 'GET', path, credential, signal })
      const videoAt = linkReader({ upstream, fetchPolicy: settings.fetchPolicy, credential, askedPath: path })
      if (answer.status === 202) return readStatus(answer, videoAt)
      return readWithheld(answer) ?? unansweredPoll(answer) ?? readStatus(answer, videoAt)
    },

    async check({ signal }) {
      const { status, json, shown } = await upstream.read({ method: 'GET', path: NO_JOB, signal })
      // A 404 in other words is not the vendor's: the base URL is wrong.
      if (status !== 404 || !refusal.safeParse(json).success)
        throw new Error(`Asked for a job that is not there, it answers ${status}: ${shown}`)
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}
