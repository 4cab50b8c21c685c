/**
 * Rivya's public API v1, base URL `https://rivya.ai`. A create is idempotent by its `Idempotency-Key` (documented), so
 * one that is in doubt is repeated. Pictures are brought to its Files API first.
 */
import { z } from 'zod'
import type { Reference } from '../../canonical/reference.ts'
import type { Provider, StartContext } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { assertListed } from '../upstream/assert-listed.ts'
import { configured } from '../upstream/configured.ts'
import { linkReader } from '../upstream/download.ts'
import { jobIdIn } from '../upstream/job-answer.ts'
import { readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { Upstream } from '../upstream/upstream.ts'
import { createBody, type UploadedPicture } from './map-request.ts'
import { readTask } from './read-task.ts'
import { refusedCreate } from './refused-create.ts'
import { takesRequest } from './takes-request.ts'
import { type PictureUpload, uploadPicture } from './upload-picture.ts'
import { rivyaWebhook } from './webhook.ts'
import { credits, modelList } from './wire.ts'

/** The vendor documents none; modest, until an operator knows the account's. */
const CONCURRENCY = 20

/** For an upload and for a create each; below half of the 30 s after which a start is given up. */
const TIMEOUT_MS = 14_000

/** The vendor's advice: every 5–10 s. */
const POLL_EVERY_MS = 5_000

/** A picture as it was uploaded, so that a repeated create has the body that its key was used with. */
const keptPicture = z.object({ url: z.string(), mimeType: z.string() })

export function createRivyaProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })
  const modelOf = (request: { readonly model: string }) => settings.model ?? request.model

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: true,
      concurrency: CONCURRENCY,
      pollEveryMs: POLL_EVERY_MS,
    }),
    abilities: {
      durationSeconds: { min: 6, max: 30 },
      resolutions: ['480p', '720p'],
      aspectRatios: ['1:1', '16:9', '9:16', '2:3', '3:2'],
      operations: ['generate'],
      roles: ['firstFrame'],
    },
    takes: (request) => takesRequest(request, modelOf(request)),

    async start(request, context) {
      const { token, credential, signal } = context
      const model = modelOf(request)
      const [reference] = request.references
      let picture: UploadedPicture | undefined
      if (reference !== undefined) {
        const brought = await bringPicture(reference, { model, context })
        if ('outcome' in brought) return brought.outcome
        picture = { url: brought.url, mimeType: brought.mimeType }
      }
      const call = await upstream.create({
        method: 'POST',
        path: '/api/v1/generations',
        headers: { 'idempotency-key': token },
        json: createBody(request, { model, token, picture }),
        credential,
        signal,
      })
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      if (answer.status < 200 || answer.status > 299) return refusedCreate(answer)
      const id = jobIdIn(answer.json, 'id')
      if (id === undefined) return { kind: 'ambiguous', cause: `HTTP ${answer.status} without an id: ${answer.shown}` }
      return { kind: 'accepted', operation: toJobOperation({ id, credential }) }
    },

    async poll(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/api/v1/generations/${encodeURIComponent(id)}`
      const answer = await upstream.read({ method: 'GET', path, credential, signal })
      const videoAt = linkReader({ upstream, fetchPolicy: settings.fetchPolicy, credential, askedPath: path })
      return unansweredPoll(answer) ?? readTask(answer, videoAt)
    },

    ...rivyaWebhook(settings),

    async check({ signal, models = [] }) {
      const { status, json, shown } = await upstream.read({ method: 'GET', path: '/api/v1/credits', signal })
      if (status !== 200 || !credits.safeParse(json).success)
        throw new Error(`Asked for our balance, it answers ${status}: ${shown}`)
      const catalog = await upstream.read({ method: 'GET', path: '/api/v1/models', signal })
      const listed = modelList.safeParse(catalog.json).data?.data.map(({ id }) => id)
      assertListed(
        models.map((model) => modelOf({ model })),
        listed,
      )
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }

  /** Brings a picture once for all calls of an attempt. */
  async function bringPicture(
    reference: Reference,
    { model, context }: { readonly model: string; readonly context: StartContext },
  ): Promise<PictureUpload> {
    const kept = keptPicture.safeParse(context.kept)
    if (kept.success) return kept.data
    const upload = await uploadPicture(reference, { upstream, model, context })
    if ('url' in upload) await context.keep({ url: upload.url, mimeType: upload.mimeType })
    return upload
  }
}
