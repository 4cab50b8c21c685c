/**
 * AceData Cloud, base URL `https://api.acedata.cloud`. It documents no idempotency, so a create whose answer is lost stays
 * in doubt. Jobs are asked for with `async`, so that a create is answered at once; jobs are asked after by POST.
 */
import { ASPECT_RATIOS } from '../../canonical/generation.ts'
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
import { createBody } from './map-request.ts'
import { readTask } from './read-task.ts'
import { refusedCreate } from './refused-create.ts'
import { takesRequest } from './takes-request.ts'
import { acedataWebhook, callbackField } from './webhook.ts'

/** The vendor documents none; modest, until an operator knows the account's. */
const CONCURRENCY = 20

/** A create only queues, but brings its pictures. Below the 30 s after which a start is given up. */
const TIMEOUT_MS = 25_000

/** What the vendor's own SDK does. */
const POLL_EVERY_MS = 3_000

/** A job that cannot be there. */
const NO_JOB = '00000000-0000-0000-0000-000000000000'

/** What may be answered about it: the vendor documents nothing of a task that is unknown. */
const LET_IN: readonly number[] = [200, 400, 404]

export function createAcedataProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS, callbackUrl } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, callbackUrl, userAgent: settings.fetchPolicy.userAgent })
  const modelOf = (request: { readonly model: string }) => settings.model ?? request.model

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: false,
      concurrency: CONCURRENCY,
      pollEveryMs: POLL_EVERY_MS,
    }),
    abilities: {
      durationSeconds: { min: 1, max: 15 },
      resolutions: ['480p', '720p'],
      aspectRatios: [...ASPECT_RATIOS, 'source'],
      operations: ['generate'],
      roles: ['firstFrame', 'reference'],
      // The API has no word for a mode.
      modes: ['normal'],
    },
    takes: (request) => takesRequest(request, modelOf(request)),

    async start(request, { token, credential, openReference, signal }) {
      let pictures: SentFile[]
      try {
        pictures = await filesToSend(request, openReference)
      } catch (error) {
        return unreadable(error)
      }
      const call = await upstream.create({
        method: 'POST',
        path: '/grok/videos',
        headers: { 'idempotency-key': token },
        json: { ...createBody(request, pictures, modelOf(request)), ...callbackField(settings) },
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
      const answer = await upstream.read({ ...retrieve(id), credential, signal })
      const { path } = retrieve(id)
      const videoAt = linkReader({ upstream, fetchPolicy: settings.fetchPolicy, credential, askedPath: path })
      return unansweredPoll(answer) ?? readTask(answer, videoAt)
    },

    ...acedataWebhook(settings),

    async check({ signal }) {
      const { status, json, shown } = await upstream.read({ ...retrieve(NO_JOB), signal })
      if (!LET_IN.includes(status) || json === undefined)
        throw new Error(`Asked for a job that is not there, it answers ${status}: ${shown}`)
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

/** Changes nothing, though it is a POST. */
function retrieve(id: string) {
  return { method: 'POST', path: '/grok/tasks', json: { id, action: 'retrieve' } } as const
}
