/**
 * The server of stable-diffusion.cpp, by its own API: one model, one job at a time, a bounded queue, results inline in the
 * answer to a poll. Finished jobs are kept for some minutes (then 410), and none outlives the process (then 404).
 */
import { ASPECT_RATIOS, type GenerationRequest, RESOLUTIONS } from '../../canonical/generation.ts'
import { JOBS_IN_MEMORY, type OpenReference, type Provider } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { configured } from '../upstream/configured.ts'
import { fileToSend } from '../upstream/file-to-send.ts'
import { type FrameSize, sizeOnGrid, USUAL_SIZE_STEP } from '../upstream/frame-grid.ts'
import { jobIdIn } from '../upstream/job-answer.ts'
import { readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { MAX_PICTURE_BYTES, unreadable } from '../upstream/reference-bytes.ts'
import { refusedStart, unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { Upstream } from '../upstream/upstream.ts'
import { PICTURE_FIELDS, videoBody } from './map-request.ts'
import { readJob } from './read-job.ts'
import { capabilities } from './wire.ts'

/** It works at one; the next waits there, so that the GPU need not wait for our poll. */
const CONCURRENCY = 2

/** A create only queues. Below the 30 s after which a start is given up, so that the cause is told. */
const TIMEOUT_MS = 25_000

/** Clips take minutes here. */
const POLL_EVERY_MS = 2_000

/** The longest that any model of the catalog offers; what a model cannot hold in memory, its operator knows. */
const MAX_SECONDS = 30

/**
 * A finished job with its video in base64. Half a minute in the server's WebM, whose frames are pictures of their own, is
 * some 70 MB; the answer is in memory several times over, so it may not be much more.
 */
const MAX_JOB_BYTES = 128 * 1024 * 1024

/** What a cancel is answered that came too late: unknown, put away, being generated. */
const NOT_CANCELED: readonly number[] = [404, 409, 410]

export function createStableDiffusionCppProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS, sizeStep = USUAL_SIZE_STEP } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: false,
      goneJobs: JOBS_IN_MEMORY,
      concurrency: CONCURRENCY,
      pollEveryMs: POLL_EVERY_MS,
      sizeStep,
    }),
    abilities: {
      durationSeconds: { min: 1, max: MAX_SECONDS },
      resolutions: RESOLUTIONS,
      aspectRatios: [...ASPECT_RATIOS, 'source'],
      operations: ['generate'],
      roles: [...PICTURE_FIELDS.keys()],
      // The API has no word for a mode.
      modes: ['normal'],
    },
    takes,

    async start(request, { token, credential, openReference, signal }) {
      const frame = sizeOnGrid(request, sizeStep)
      let pictures: Readonly<Record<string, string>>
      try {
        pictures = await readPictures(request, { frame, openReference })
      } catch (error) {
        return unreadable(error)
      }
      const json = videoBody(request, { frame, pictures })
      const headers = { 'idempotency-key': token }
      const call = await upstream.create({
        method: 'POST',
        path: '/sdcpp/v1/vid_gen',
        headers,
        json,
        credential,
        signal,
      })
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      if (answer.status < 200 || answer.status > 299) return refusedStart(answer)
      const id = jobIdIn(answer.json, 'id')
      if (id === undefined) return { kind: 'ambiguous', cause: `HTTP ${answer.status} without an id: ${answer.shown}` }
      return { kind: 'accepted', operation: toJobOperation({ id, credential }) }
    },

    async poll(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/sdcpp/v1/jobs/${encodeURIComponent(id)}`
      const answer = await upstream.read({ method: 'GET', path, credential, signal, maxBytes: MAX_JOB_BYTES })
      return unansweredPoll(answer) ?? readJob(answer.json)
    },

    async cancel(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/sdcpp/v1/jobs/${encodeURIComponent(id)}/cancel`
      const { status } = await upstream.read({ method: 'POST', path, credential, signal })
      if (status >= 400 && !NOT_CANCELED.includes(status))
        throw new Error(`The provider answers a cancel with ${status}.`)
    },

    async check({ signal }) {
      const { status, json, shown } = await upstream.read({ method: 'GET', path: '/sdcpp/v1/capabilities', signal })
      if (status !== 200) throw new Error(`It answers ${status}: ${shown}`)
      const can = capabilities.safeParse(json)
      if (!can.success)
        throw new Error(`It is no stable-diffusion.cpp server: asked what its model can do, it answers ${shown}`)
      if (!can.data.supported_modes.includes('vid_gen'))
        throw new Error('The model that it has loaded makes no videos.')
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }
}

/** Base64 as it is, by the server's field for each. */
async function readPictures(
  { references }: GenerationRequest,
  { frame, openReference }: { readonly frame: FrameSize; readonly openReference: OpenReference },
): Promise<Readonly<Record<string, string>>> {
  const pictures: Record<string, string> = {}
  for (const reference of references) {
    const field = PICTURE_FIELDS.get(reference.role)
    if (field === undefined) throw new Error(`the server has no field for a ${reference.role}`)
    pictures[field] = (await fileToSend(reference, openReference, { frame })).bytes.toString('base64')
  }
  return pictures
}

/** The server has one field for each picture. */
function takes({ references }: GenerationRequest): boolean {
  const roles = new Set(references.map(({ role }) => role))
  return (
    roles.size === references.length &&
    references.every(({ kind, sizeBytes }) => kind === 'image' && sizeBytes <= MAX_PICTURE_BYTES)
  )
}
