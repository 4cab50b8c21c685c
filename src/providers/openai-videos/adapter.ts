/**
 * Any server of the OpenAI Videos shape: SGLang-diffusion, vLLM-Omni, LiteLLM, another Reelay. They share create, get,
 * content and delete; edits and extensions few have, and none tells, so those are not asked for. Jobs of SGLang live in
 * its memory: after a restart there it answers 404.
 */
import { z } from 'zod'
import { ASPECT_RATIOS, frameSize, type GenerationRequest, RESOLUTIONS } from '../../canonical/generation.ts'
import { isJsonObject } from '../../canonical/json.ts'
import type { Provider, StartContext } from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { assertListed } from '../upstream/assert-listed.ts'
import { configured } from '../upstream/configured.ts'
import { firstThatIsThere, linkedVideo, linkReader } from '../upstream/download.ts'
import { type FileToSend, fileToSend } from '../upstream/file-to-send.ts'
import { formBody } from '../upstream/form-body.ts'
import { type FrameSize, sizeOnGrid, USUAL_SIZE_STEP } from '../upstream/frame-grid.ts'
import { jobIdIn } from '../upstream/job-answer.ts'
import { readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { MAX_PICTURE_BYTES, unreadable } from '../upstream/reference-bytes.ts'
import { unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { type CreateCall, Upstream, type UpstreamAnswer } from '../upstream/upstream.ts'
import { type CreateFields, createFields, createForm, sizeText } from './map-request.ts'
import { readVideo } from './read-video.ts'
import { refusedCreate, wantsForm } from './refused-create.ts'
import { openaiVideosWebhook } from './webhook.ts'
import { modelList } from './wire.ts'

/** Enough to keep one GPU server's queue from running dry; a gateway with more is configured with more. */
const CONCURRENCY = 4

/** A create only queues. Below the 30 s after which a start is given up, so that the cause is told. */
const TIMEOUT_MS = 25_000

/** The vendor advises some seconds; clips take half a minute and more on these servers. */
const POLL_EVERY_MS = 3_000

/** The longest that any model of the catalog offers; the server itself says what its model cannot make. */
const MAX_SECONDS = 30

/** What a delete is answered that came too late, or to a server that has none. */
const NOT_CANCELED: readonly number[] = [404, 405, 409, 410, 501]

/** A video that cannot be there: whoever says so in the API's way is such a server, and has let us in. */
const NO_VIDEO = '/videos/video_00000000000000000000000000000000'

/** How a server may say so: that it is unknown, that the id makes no sense, that there is no such call. */
const UNKNOWN_VIDEO: readonly number[] = [400, 404, 405, 422]

/**
 * Servers of this API keep their jobs in memory, and are back within a minute; but a cloud may answer by it, too, whose jobs are
 * billed, so a job that is unknown is not begun anew.
 */
const GONE_JOBS = { believedAfterMs: 60_000, isSurelyLost: false } as const

/** The size that a job was asked for in, where it is not that of the grid. */
const keptSize = z.object({ size: z.string() })

/** Of our key, its rights and our balance. */
const LOCKED_OUT: readonly number[] = [401, 402, 403]

/**
 * What is said where there is no such path, which says nothing of a video: FastAPI, as it is and as vLLM wraps it; OpenAI;
 * another Reelay.
 */
const NO_SUCH_PATH = /^(?:not found\.?$|invalid url\b|there is no get )/i

export function createOpenaiVideosProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { baseUrl, apiKeys, timeoutMs = TIMEOUT_MS, sizeStep } = settings
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })
  /** Learnt from the first create without a picture; SGLang takes no form without one, vLLM-Omni takes only forms. */
  let speaksForms = false
  /** Learnt from the first create that was refused in a size of the grid, and taken in the one that was asked for. */
  let takesExactSizes = false
  const declared = configured(settings, upstream, {
    startIsIdempotent: false,
    goneJobs: GONE_JOBS,
    concurrency: CONCURRENCY,
    pollEveryMs: POLL_EVERY_MS,
    sizeStep: sizeStep ?? USUAL_SIZE_STEP,
  })

  return {
    ...declared,
    abilities: {
      durationSeconds: { min: 1, max: MAX_SECONDS },
      resolutions: RESOLUTIONS,
      aspectRatios: [...ASPECT_RATIOS, 'source'],
      operations: ['generate'],
      roles: ['firstFrame'],
      // The API has no word for a mode.
      modes: ['normal'],
    },
    takes,

    async start(request, context) {
      const call = await create(request, context)
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      if (answer.status < 200 || answer.status > 299) return refusedCreate(answer)
      const id = jobIdIn(answer.json, 'id')
      if (id === undefined) return { kind: 'ambiguous', cause: `HTTP ${answer.status} without an id: ${answer.shown}` }
      return { kind: 'accepted', operation: toJobOperation({ id, credential: context.credential }) }
    },

    async poll(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/videos/${encodeURIComponent(id)}`
      const answer = await upstream.read({ method: 'GET', path, credential, signal })
      const about = { upstream, fetchPolicy: settings.fetchPolicy, credential }
      const content = linkedVideo({ ...about, url: `${path}/content` })
      const videoAt = linkReader({ ...about, askedPath: path })
      return (
        unansweredPoll(answer) ??
        readVideo(answer.json, (named) => {
          const linked = named === undefined ? undefined : videoAt(named)
          return linked === undefined ? content : firstThatIsThere(linked, content)
        })
      )
    },

    async cancel(operation, { signal }) {
      const { id, credential } = readJobOperation(operation)
      const path = `/videos/${encodeURIComponent(id)}`
      const { status } = await upstream.read({ method: 'DELETE', path, credential, signal })
      if (status >= 400 && !NOT_CANCELED.includes(status))
        throw new Error(`The provider answers a delete with ${status}.`)
    },

    ...openaiVideosWebhook(settings),

    async check({ signal, models = [] }) {
      const catalog = await upstream.read({ method: 'GET', path: '/models', signal })
      const listed =
        catalog.status === 200 ? modelList.safeParse(catalog.json).data?.data.map(({ id }) => id) : undefined
      const unknown = await upstream.read({ method: 'GET', path: NO_VIDEO, signal })
      if (LOCKED_OUT.includes(unknown.status)) throw new Error(`It answers ${unknown.status}: ${unknown.shown}`)
      if (!knowsVideos(unknown, { listsModels: listed !== undefined })) throw new Error(notThisApi(unknown))
      assertListed(
        models.map((model) => settings.model ?? model),
        listed,
      )
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }

  /** In the size that its engine makes; where that is refused, in the one that was asked for: some servers have a list of sizes. */
  async function create(request: GenerationRequest, context: StartContext): Promise<CreateCall> {
    const exact = frameSize(request)
    const onGrid = sizeOnGrid(request, sizeStep ?? USUAL_SIZE_STEP)
    const isExact = exact.width === onGrid.width && exact.height === onGrid.height
    if (isExact || sizeStep !== undefined) return await createInSize(request, onGrid, context)
    if (!takesExactSizes && !keptSize.safeParse(context.kept).success) {
      const call = await createInSize(request, onGrid, context)
      if (!isRefusedRequest(call)) return call
    }
    // A repeat has to say the very same, also after a restart, which forgets what was learnt.
    if (declared.startIsIdempotent) await context.keep({ size: sizeText(exact) })
    const call = await createInSize(request, exact, context)
    if (call.kind === 'answered' && !isRefusedRequest(call)) takesExactSizes = true
    return call
  }

  async function createInSize(request: GenerationRequest, size: FrameSize, context: StartContext): Promise<CreateCall> {
    const fields = createFields(request, { model: settings.model, size })
    const [reference] = request.references
    let picture: FileToSend | undefined
    try {
      if (reference !== undefined) picture = await fileToSend(reference, context.openReference, { frame: size })
    } catch (error) {
      return unreadable(error)
    }
    if (picture !== undefined || speaksForms) return await createByForm(fields, picture, context)
    const { token, credential, signal } = context
    const headers = { 'idempotency-key': token }
    const call = await upstream.create({ method: 'POST', path: '/videos', headers, json: fields, credential, signal })
    if (call.kind !== 'answered' || !wantsForm(call.answer)) return call
    speaksForms = true
    return await createByForm(fields, undefined, context)
  }

  async function createByForm(
    fields: CreateFields,
    picture: FileToSend | undefined,
    { token, credential, signal }: StartContext,
  ): Promise<CreateCall> {
    const { contentType, body } = formBody(createForm(fields, picture), token)
    const headers = { 'idempotency-key': token, 'content-type': contentType }
    return await upstream.create({ method: 'POST', path: '/videos', headers, body, credential, signal })
  }
}

/** Whether a create was surely refused for what it asks for, so that it may be asked for otherwise. */
function isRefusedRequest(call: CreateCall): boolean {
  if (call.kind !== 'answered' || (call.answer.status !== 400 && call.answer.status !== 422)) return false
  const refused = refusedCreate(call.answer)
  return refused.kind === 'rejected' && refused.because === 'request'
}

/** The shape has one place for a picture. */
function takes({ references }: GenerationRequest): boolean {
  return (
    references.length <= 1 &&
    references.every(({ kind, sizeBytes }) => kind === 'image' && sizeBytes <= MAX_PICTURE_BYTES)
  )
}

/**
 * Whether an answer about a video that is not there is one of this API. A server that lists models has shown already that it
 * speaks JSON as this API does, and gateways word the rest in their own way.
 */
function knowsVideos({ status, json }: UpstreamAnswer, { listsModels }: { readonly listsModels: boolean }): boolean {
  if (!isJsonObject(json) || status >= 500) return false
  const { error, detail } = json
  const isRefusal = error !== undefined || detail !== undefined
  if (!listsModels && !(isRefusal && UNKNOWN_VIDEO.includes(status))) return false
  const message = isJsonObject(error) ? error['message'] : (error ?? detail)
  return typeof message !== 'string' || !NO_SUCH_PATH.test(message)
}

/** What came, and what is wrong as a rule. */
function notThisApi({ status, headers, shown }: UpstreamAnswer): string {
  const hint = '"baseUrl" ends with /v1 as a rule'
  if (status >= 300 && status < 400)
    return `It answers ${status}, a redirect, which is not followed: ${hint}, and may have to be https. It leads to ${headers.location ?? 'nowhere'}`
  if (shown.trim() === '') return `It answers ${status} and nothing more: ${hint}.`
  if (shown.trimStart().startsWith('<')) return `It answers ${status} with a web page, which is not this API: ${hint}.`
  return `It answers ${status}, but not in this API's way: ${hint}. It says: ${shown}`
}
