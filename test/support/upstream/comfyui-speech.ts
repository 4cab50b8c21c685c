/** ComfyUI. Source: `server.py` and `execution.py` there. The caller names the prompt; the same name twice is two prompts. */
import { isJsonObject, type Json, type JsonObject } from '../../../src/canonical/json.ts'
import failed from '../../../src/providers/comfyui/fixtures/failed.json' with { type: 'json' }
import finished from '../../../src/providers/comfyui/fixtures/finished.json' with { type: 'json' }
import interrupted from '../../../src/providers/comfyui/fixtures/interrupted.json' with { type: 'json' }
import refused from '../../../src/providers/comfyui/fixtures/refused.json' with { type: 'json' }
import graph from '../../../src/providers/comfyui/fixtures/workflow.json' with { type: 'json' }
import graphWithPicture from '../../../src/providers/comfyui/fixtures/workflow-with-picture.json' with { type: 'json' }
import { formParts } from './form-parts.ts'
import type {
  JobState,
  RefusalKind,
  Speech,
  SpeechAnswer,
  SpeechContext,
  UpstreamCall,
  UpstreamRequest,
} from './speech.ts'

/** As the server names its files, but for the job's id. */
const FILE_NAME = /^ComfyUI_(.+)_00001_\.mp4$/

/** The part that is always there. */
const SYSTEM_STATS: JsonObject = {
  system: { os: 'linux', comfyui_version: '0.3.62', python_version: '3.12.3' },
  devices: [{ name: 'cuda:0', type: 'cuda', index: 0, vram_total: 25_769_803_776, vram_free: 25_000_000_000 }],
}

export interface ComfyuiOptions {
  /**
   * What it finds wrong with nodes of every graph. As long as an output is left it answers 200 with this, and runs what is
   * left.
   */
  readonly nodeErrors?: JsonObject
  /** Classes of nodes that it lacks; it has those of the fixtures' graphs. */
  readonly lacks?: readonly string[]
}

export const comfyuiSpeech: Speech = comfyuiSpeechWith({})

export function comfyuiSpeechWith(options: ComfyuiOptions): Speech {
  return {
    basePath: '',
    wantsKey: false,
    callOf,
    jobIdOf: (request) => textIn(request, 'prompt_id'),
    answer: (context) => answer(context, options),
    refusal,
  }
}

/** The nodes that a server has, as far as the fixtures need them; those that end a graph are output nodes. */
function nodesOf({ lacks = [] }: ComfyuiOptions): JsonObject {
  const classes = Object.values({ ...graph, ...graphWithPicture }).map(({ class_type: nodeClass }) => nodeClass)
  return Object.fromEntries(
    [...classes, 'PreviewAny', 'PreviewImage']
      .filter((nodeClass) => !lacks.includes(nodeClass))
      .map((nodeClass) => [nodeClass, { input: {}, output_node: /^(Save|Preview)/.test(nodeClass) }]),
  )
}

function callOf(request: UpstreamRequest): UpstreamCall | undefined {
  const { method, path, query } = request
  const route = `${method} ${path}`
  if (route === 'POST /prompt') return { kind: 'create' }
  if (route === 'POST /upload/image') return { kind: 'upload' }
  if (['GET /queue', 'GET /system_stats', 'GET /object_info'].includes(route)) return { kind: 'other' }
  if (route === 'GET /view') {
    const job = FILE_NAME.exec(query.get('filename') ?? '')?.[1]
    return job === undefined ? undefined : { kind: 'content', job }
  }
  if (route === 'POST /interrupt') return { kind: 'cancel', job: textIn(request, 'prompt_id') ?? '' }
  if (route === 'POST /queue') return { kind: 'cancel', job: deletedIn(request) }
  const job = /^\/history\/([^/]+)$/.exec(path)?.[1]
  return method === 'GET' && job !== undefined ? { kind: 'poll', job: decodeURIComponent(job) } : undefined
}

function answer(context: SpeechContext, options: ComfyuiOptions): SpeechAnswer {
  const { call, job, jobs, request } = context
  switch (call.kind) {
    case 'create':
      return {
        status: 200,
        json: { prompt_id: job?.id ?? null, number: jobs.length, node_errors: options.nodeErrors ?? {} },
      }
    case 'poll':
      return { status: 200, json: job === undefined ? {} : historyOf(job) }
    case 'upload':
      return { status: 200, json: { name: keepPicture(context), subfolder: '', type: 'input' } }
    case 'other':
      if (request.path === '/object_info') return { status: 200, json: nodesOf(options) }
      return { status: 200, json: request.path === '/system_stats' ? SYSTEM_STATS : queueOf(jobs) }
    default:
      return { status: 200 }
  }
}

type Job = SpeechContext['jobs'][number]

function queueOf(jobs: readonly Job[]): JsonObject {
  const inState = (state: JobState): Json[] =>
    jobs.filter((job) => job.state === state).map(({ id }, number) => [number, id, {}, { create_time: 1 }, ['58']])
  return { queue_running: inState('running'), queue_pending: inState('queued') }
}

/** Only what is over is in the history. */
function historyOf(job: Job): JsonObject {
  const entry = entryOf(job.state)
  if (job.statusWord !== undefined) {
    const status = { status_str: job.statusWord, completed: false, messages: [] }
    return { [job.id]: { ...(entry ?? firstOf(finished)), status } }
  }
  if (entry === undefined) return {}
  if (job.error !== undefined) return { [job.id]: { ...entry, status: failedWith(job.error.message) } }
  const file = { filename: `ComfyUI_${job.id}_00001_.mp4`, subfolder: 'video', type: 'output' }
  const outputs = job.state === 'succeeded' ? { '58': { images: [file], animated: [true] } } : {}
  return { [job.id]: { ...entry, outputs } }
}

/** What it says of a size that a node of the fixtures' graphs does not take. */
const TOO_LARGE: JsonObject = {
  '55': {
    errors: [
      {
        type: 'value_bigger_than_max',
        message: 'Value 1280 bigger than max of 1024',
        details: 'width',
        extra_info: { input_name: 'width' },
      },
    ],
    dependent_outputs: ['58'],
    class_type: 'Wan22ImageToVideoLatent',
  },
}

function failedWith(message: string): JsonObject {
  const error = { node_id: '3', node_type: 'KSampler', exception_message: message }
  return { status_str: 'error', completed: false, messages: [['execution_error', error]] }
}

function entryOf(state: JobState): JsonObject | undefined {
  switch (state) {
    case 'queued':
    case 'running':
      return undefined
    case 'succeeded':
    case 'empty':
      return firstOf(finished)
    case 'canceled':
      return firstOf(interrupted)
    // It has no policy and no deadline.
    case 'failed':
    case 'moderated':
    case 'expired':
      return firstOf(failed)
  }
}

function firstOf(history: JsonObject): JsonObject {
  const [entry] = Object.values(history)
  if (!isJsonObject(entry)) throw new Error('the fixture is no history')
  return entry
}

function keepPicture({ request, keepUpload }: SpeechContext): string {
  const picture = formParts(request)?.find(({ name }) => name === 'image')
  if (picture?.fileName === undefined) throw new Error('there is no picture in the upload')
  keepUpload(picture.bytes)
  return picture.fileName
}

function textIn({ body }: UpstreamRequest, key: string): string | undefined {
  const json: unknown = JSON.parse(body.toString() || '{}')
  const value = isJsonObject(json) ? json[key] : undefined
  return typeof value === 'string' ? value : undefined
}

function deletedIn({ body }: UpstreamRequest): string {
  const json: unknown = JSON.parse(body.toString())
  const ids = isJsonObject(json) ? json['delete'] : undefined
  return Array.isArray(ids) ? String(ids[0]) : ''
}

function refusal(kind: RefusalKind): SpeechAnswer | undefined {
  switch (kind) {
    case 'badRequest':
      return {
        status: 400,
        json: { ...refused, error: { ...refused.error, message: 'upstream-words' }, node_errors: TOO_LARGE },
      }
    // What it does not know has no history.
    case 'unknownJob':
      return { status: 200, json: {} }
    case 'broken':
      return { status: 500, body: Buffer.from('500 Internal Server Error\n\nServer got itself in trouble') }
    // Nobody is kept out by the server itself, but maybe by a proxy before it.
    case 'wrongKey':
      return { status: 401, body: Buffer.from('upstream-words') }
    default:
      return undefined
  }
}
