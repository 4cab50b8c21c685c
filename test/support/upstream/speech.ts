import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../../src/canonical/json.ts'

/** A request as it came. */
export interface UpstreamRequest {
  readonly method: string
  /** Without the vendor's base path, and without the query: `/videos/…`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What a request is for; `job` is the id that it names. Faults are scripted for one kind. */
export type UpstreamCall =
  | { readonly kind: 'create' }
  | { readonly kind: 'poll' | 'cancel'; readonly job: string }
  /** The bytes of a finished video on the API's own host: the server answers these itself, ranges and all. */
  | { readonly kind: 'content'; readonly job: string }
  /** A reference that is brought beforehand. */
  | { readonly kind: 'upload' }
  /** Anything that belongs to no job: a list, a health page, a look for a job that may not be there. */
  | { readonly kind: 'other' }
export type CallKind = UpstreamCall['kind']

export type JobState =
  | 'queued'
  | 'running'
  | 'succeeded'
  /** Said to be done, and there is no link. */
  | 'empty'
  | 'failed'
  /** Worked on, and then withheld by the content policy. */
  | 'moderated'
  | 'expired'
  | 'canceled'

/** A job as the vendor keeps it, and bills it. */
export interface UpstreamJob {
  readonly id: string
  readonly request: UpstreamRequest
  /** The key that it was made with; another one's jobs are unknown to it. */
  readonly apiKey: string | undefined
  readonly idempotencyKey: string | undefined
  /** By the vendor's clock. */
  readonly createdAt: Date
  readonly state: JobState
  /** As the vendor writes it, where it tells: 0–100, or whatever a test has it say. */
  readonly progress: Json | undefined
  /** Said in place of the vendor's own word for `state`. */
  readonly statusWord: string | undefined
  /** Said of a failed job, in place of the vendor's usual words. */
  readonly error: { readonly code: string; readonly message: string } | undefined
  /** The finished video. */
  readonly video: Buffer
}

/** Why a vendor refuses a request, whatever its words for it. */
export type RefusalKind =
  | 'badRequest'
  | 'moderated'
  | 'wrongKey'
  | 'forbidden'
  | 'noBalance'
  | 'busy'
  | 'unknownJob'
  | 'broken'

export interface SpeechAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. Without it and without `body` the answer is empty. */
  readonly json?: Json
  readonly body?: Buffer
}

export interface SpeechContext {
  readonly call: UpstreamCall
  readonly request: UpstreamRequest
  /** The job that the call names, makes or, where its create is idempotent, has made before. */
  readonly job: UpstreamJob | undefined
  /** Every job there is, the oldest first. */
  readonly jobs: readonly UpstreamJob[]
  /** What was uploaded, by the name that `keepUpload` gave. */
  readonly uploads: ReadonlyMap<string, Buffer>
  /** Keeps a file and answers its name: `upload-1`, … */
  readonly keepUpload: (bytes: Buffer) => string
  /** A link to the job's video on the vendor's file host, which is another origin than the API and wants no key. */
  readonly linkTo: (job: UpstreamJob) => string
  /** By the vendor's clock. */
  readonly now: Date
}

/** How one vendor's API talks: it knows wires, and keeps nothing; `ScriptedUpstream` keeps the jobs and does the harm. */
export interface Speech {
  /** What the vendor's base URL has behind the host: `''`, `/v1`. */
  readonly basePath: string
  /** Whether requests must bring one of the server's keys, as a bearer. */
  readonly wantsKey: boolean
  /** What a request is for; `undefined`: there is no such endpoint, which is answered 404 `unknownJob`. */
  readonly callOf: (request: UpstreamRequest) => UpstreamCall | undefined
  /** Names the job that a create is to make, where the vendor makes only one of each name. Absent: each create bills. */
  readonly idempotencyKeyOf?: (request: UpstreamRequest) => string | undefined
  /** The id of a new job, where the caller may choose it; by default a random one. */
  readonly jobIdOf?: (request: UpstreamRequest) => string | undefined
  /** The answer when nothing is wrong. Never called for content, nor for a poll or cancel of an unknown job. */
  readonly answer: (context: SpeechContext) => SpeechAnswer
  /** A refusal in the vendor's words; `undefined` where it has none of the kind. */
  readonly refusal: (kind: RefusalKind) => SpeechAnswer | undefined
}
