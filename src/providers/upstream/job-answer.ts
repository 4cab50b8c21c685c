/**
 * What answers about jobs have in common, whoever gives them. Gateways that speak a vendor's API word it in their own way:
 * the id under another name, another word for done, the whole inside an envelope, the video's URL somewhere else. An
 * adapter reads its vendor's documented names first, and these where those are missing.
 */
import { isJsonObject, type Json } from '../../canonical/json.ts'
import { jobId } from './job-operation.ts'

/** The `code` of an envelope that says that all is well: HTTP's, or none at all. */
const WELL_CODES: readonly Json[] = [200, 0, '200', '0']

/** What an envelope's content is called. */
const CONTENT = 'data'

const ID_NAMES = [
  'id',
  'task_id',
  'request_id',
  'job_id',
  'video_id',
  'generation_id',
  'taskId',
  'requestId',
  'jobId',
  'videoId',
  'generationId',
] as const

const STATUS_NAMES = ['status', 'state', 'task_status', 'taskStatus'] as const

/** Where a finished job's URL may stand, the most particular first; a number is a place in a list. */
const URL_PATHS = [
  'video.url',
  'video_url',
  'videoUrl',
  'url',
  'metadata.url',
  'metadata.video_url',
  'result.primary_url',
  'result.video_url',
  'result.url',
  'result.urls.0',
  'result.video.url',
  'output.video_url',
  'output.url',
  'output.video.url',
  'output.0.url',
  'output.0',
  'output',
  'videos.0.url',
  'videos.0',
  'data.0.video_url',
  'data.0.url',
  'content.video_url',
  'response.0',
  'results.0.url',
  'result_urls.0',
  'resultUrls.0',
  'urls.0',
  'download_url',
  'output_url',
].map((path) => path.split('.'))

export type JobMeaning = 'pending' | 'done' | 'failed' | 'expired'

/** Words for the state of a job, in lower case and with underscores. */
const WORDS: Readonly<Record<JobMeaning, readonly string[]>> = {
  pending: [
    'pending',
    'queued',
    'queuing',
    'in_queue',
    'waiting',
    'created',
    'submitted',
    'accepted',
    'scheduled',
    'not_started',
    'preparing',
    'starting',
    'started',
    'running',
    'processing',
    'in_progress',
    'generating',
    'rendering',
  ],
  done: ['done', 'completed', 'complete', 'succeeded', 'success', 'successful', 'finished', 'ready'],
  failed: ['failed', 'failure', 'fail', 'error', 'errored', 'canceled', 'cancelled', 'aborted', 'deleted', 'rejected'],
  expired: ['expired', 'timeout', 'timed_out'],
}

const MEANINGS: ReadonlyMap<string, JobMeaning> = new Map(
  (['pending', 'done', 'failed', 'expired'] as const).flatMap((meaning) =>
    WORDS[meaning].map((word) => [word, meaning] as const),
  ),
)

/** What a status word says; `undefined` for one that is not known. */
export function meaningOf(word: string): JobMeaning | undefined {
  return MEANINGS.get(
    word
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_'),
  )
}

/** An answer without its envelope, `{"code": 200, "data": {…}}` or `{"success": true, "data": {…}}`, if it has one. */
export function unwrapped(json: Json | undefined): Json | undefined {
  if (!isJsonObject(json) || !isJsonObject(json[CONTENT])) return json
  const { code, success, [CONTENT]: content } = json
  const isEnvelope = code === undefined ? success === true : WELL_CODES.includes(code)
  return isEnvelope ? content : json
}

/**
 * The id of the job that a create's answer names; none where the answer says that it is no success. `vendorName`: what the
 * vendor's documentation calls it.
 */
export function jobIdIn(json: Json | undefined, vendorName: (typeof ID_NAMES)[number]): string | undefined {
  const answer = unwrapped(json)
  if (!isJsonObject(answer) || answer['success'] === false) return undefined
  for (const name of [vendorName, ...ID_NAMES]) {
    const id = answer[name]
    const parsed = jobId.safeParse(Number.isSafeInteger(id) ? String(id) : id)
    if (parsed.success) return parsed.data
  }
  return undefined
}

/** An answer to a poll in which `status` is the status word, whatever name that came under. */
export function withStatus(json: Json | undefined): Json | undefined {
  const answer = unwrapped(json)
  if (!isJsonObject(answer)) return answer
  const word = STATUS_NAMES.map((name) => answer[name]).find((each) => typeof each === 'string')
  return word === undefined ? answer : { ...answer, status: word }
}

/** The URL, or the reference to one, that the answer about a finished job gives; never empty. */
export function videoUrlIn(json: Json | undefined): string | undefined {
  const answer = unwrapped(json)
  return URL_PATHS.map((path) => valueAt(answer, path)).find(
    (value): value is string => typeof value === 'string' && value.trim() !== '',
  )
}

function valueAt(json: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, name) => {
    if (Array.isArray(value)) return value[Number(name)]
    return isJsonObject(value) ? value[name] : undefined
  }, json)
}
