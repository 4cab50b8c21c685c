/**
 * ComfyUI with a workflow of the operator's. The server takes the caller's id for a prompt, and does not mind the same one
 * twice: so the id is the attempt's, and before a prompt is posted it is looked for. It has no keys of its own, works at
 * one prompt at a time, and keeps queue and history in memory: what a restart there lost is nowhere, and so `gone`.
 */
import { ASPECT_RATIOS, type GenerationRequest, RESOLUTIONS } from '../../canonical/generation.ts'
import { isJsonObject } from '../../canonical/json.ts'
import {
  BlamelessError,
  JOBS_IN_MEMORY,
  type PollOutcome,
  type Provider,
  type StartContext,
  type StartOutcome,
} from '../provider.ts'
import type { AdapterSettings } from '../upstream/adapter-settings.ts'
import { configured } from '../upstream/configured.ts'
import { linkedVideo } from '../upstream/download.ts'
import { sizeOnGrid, USUAL_SIZE_STEP } from '../upstream/frame-grid.ts'
import { type JobOperation, readJobOperation, toJobOperation } from '../upstream/job-operation.ts'
import { MAX_PICTURE_BYTES } from '../upstream/reference-bytes.ts'
import { refusedStart, rejected, unanswered } from '../upstream/refused-start.ts'
import { unansweredPoll } from '../upstream/unanswered-poll.ts'
import { Upstream } from '../upstream/upstream.ts'
import { checkNodes } from './check-nodes.ts'
import { checkWorkflow, fillGraph, graphOf } from './fill-graph.ts'
import { findPrompt } from './find-prompt.ts'
import { causeOf, describeNodeErrors, savesVideo } from './node-errors.ts'
import { promptIdOf } from './prompt-id.ts'
import { readFinished } from './read-finished.ts'
import { refusedPrompt } from './refused-prompt.ts'
import { stopPrompt } from './stop-prompt.ts'
import { uploadPicture } from './upload-picture.ts'
import { queuedPrompt } from './wire.ts'

/** It works at one; the next waits there, so that the GPU need not wait for our poll. */
const CONCURRENCY = 2

/** For each call of a start. Below the 30 s after which the whole start is given up, so that the cause is told. */
const TIMEOUT_MS = 20_000

/** Clips take minutes here. */
const POLL_EVERY_MS = 2_000

/** Each node is described with all its values, names of model files among them; a server with many extensions has thousands. */
const MAX_NODES_BYTES = 64 * 1024 * 1024

/** The longest that any model of the catalog offers; what a graph cannot hold in memory, its operator knows. */
const MAX_SECONDS = 30

/** @throws Error where the workflow cannot take what a request asks for. */
export function createComfyuiProvider(settings: AdapterSettings): Provider & AsyncDisposable {
  const { name, baseUrl, apiKeys, fetchPolicy, workflow, timeoutMs = TIMEOUT_MS } = settings
  if (workflow === undefined) throw new Error(`providers.${name} is a comfyui and needs a workflow.`)
  checkWorkflow(workflow, name)
  const { sizeStep = USUAL_SIZE_STEP } = settings
  const takesPicture = workflow.inputs.image !== undefined
  const upstream = new Upstream({ baseUrl, apiKeys, timeoutMs, userAgent: settings.fetchPolicy.userAgent })

  return {
    ...configured(settings, upstream, {
      startIsIdempotent: true,
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
      roles: takesPicture ? ['firstFrame'] : [],
      // A workflow has no place for a mode.
      modes: ['normal'],
    },
    // A graph that has a place for a picture would go from the operator's own, were there none.
    takes: ({ references }) =>
      references.length === (takesPicture ? 1 : 0) &&
      references.every(({ kind, sizeBytes }) => kind === 'image' && sizeBytes <= MAX_PICTURE_BYTES),

    async start(request, context) {
      const { token, credential, signal } = context
      const id = promptIdOf(token)
      let image: string | undefined
      try {
        const found = await findPrompt({ upstream, id, credential, signal })
        if (found.kind === 'refused') return unposted(refusedStart(found.answer))
        if (found.kind !== 'nowhere') return accepted({ id, credential })
        const uploaded = await upload(request, context)
        if (typeof uploaded === 'object') return unposted(uploaded)
        image = uploaded
      } catch (error) {
        if (error instanceof BlamelessError) throw error
        return { kind: 'undelivered', cause: String(error) }
      }
      const graph = fillGraph(workflow, request, { image, frame: sizeOnGrid(request, sizeStep) })
      const json = { prompt: graph, prompt_id: id }
      const headers = { 'idempotency-key': token }
      const call = await upstream.create({ method: 'POST', path: '/prompt', headers, json, credential, signal })
      if (call.kind !== 'answered') return unanswered(call)
      const { answer } = call
      if (answer.status < 200 || answer.status > 299) return refusedPrompt(answer, workflow)
      const queued = queuedPrompt.safeParse(answer.json)
      if (!queued.success) return { kind: 'ambiguous', cause: `HTTP ${answer.status} without an id: ${answer.shown}` }
      // A server from before it took the caller's id gives another: then that is the job.
      const { prompt_id: queuedId, node_errors: errors = {} } = queued.data
      if (savesVideo(graph, errors)) return accepted({ id: queuedId, credential })
      // What is left of the prompt makes nothing that is wanted. Should it run all the same, it only wastes a moment.
      await stopPrompt({ upstream, id: queuedId, credential, signal }).catch(() => {})
      return rejected(causeOf(errors, workflow), `the prompt runs without its video: ${describeNodeErrors(errors)}`)
    },

    async poll(operation, { signal }): Promise<PollOutcome> {
      const { id, credential } = readJobOperation(operation)
      const found = await findPrompt({ upstream, id, credential, signal })
      switch (found.kind) {
        case 'finished':
          return readFinished(found.finished, (url) => linkedVideo({ upstream, fetchPolicy, url, credential }))
        case 'running':
        case 'waiting':
          return { kind: 'pending' }
        case 'nowhere':
          return { kind: 'gone' }
        case 'refused':
          return unansweredPoll(found.answer) ?? { kind: 'pending' }
      }
    },

    async cancel(operation, { signal }) {
      await stopPrompt({ upstream, ...readJobOperation(operation), signal })
    },

    async check({ signal }) {
      const { status, json, shown } = await upstream.read({ method: 'GET', path: '/system_stats', signal })
      if (status !== 200) throw new Error(`It answers ${status}: ${shown}`)
      const isStats = isJsonObject(json) && isJsonObject(json['system']) && Array.isArray(json['devices'])
      if (!isStats) throw new Error(`It is no ComfyUI: asked about its system, it answers ${shown}`)
      const nodes = { method: 'GET', path: '/object_info', signal, maxBytes: MAX_NODES_BYTES } as const
      checkNodes(graphOf(workflow), await upstream.read(nodes))
    },

    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  }

  async function upload(request: GenerationRequest, context: StartContext): Promise<string | undefined | StartOutcome> {
    const [reference] = request.references
    return reference === undefined
      ? undefined
      : await uploadPicture({ upstream, reference, frame: sizeOnGrid(request, sizeStep), ...context })
  }
}

function accepted(job: JobOperation): StartOutcome {
  return { kind: 'accepted', operation: toJobOperation(job) }
}

/**
 * No prompt was posted this time, whatever the look-up or the upload was answered. Whether an earlier call of this attempt posted
 * one, whoever repeats it knows.
 */
function unposted(outcome: StartOutcome): StartOutcome {
  return outcome.kind === 'ambiguous' ? { kind: 'undelivered', cause: outcome.cause } : outcome
}
