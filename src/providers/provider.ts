/**
 * The contract between the task machine and whatever makes a video: an upstream API, a GPU server, our own renderer.
 *
 * The task machine commits an attempt, with its token, before `start` is called, and saves the operation that `start`
 * answers. From then on the operation is all that is known: it is opaque JSON, it survives a crash of this process, and
 * `poll` and `cancel` need nothing else. An adapter knows wires; it knows no prices, no HTTP routes and no dialects.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Failure } from '../canonical/failure.ts'
import type { GenerationRequest, Mode, Operation } from '../canonical/generation.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { Reference, ReferenceRole } from '../canonical/reference.ts'

/** What an adapter can take; routing never sends it anything else. */
export interface ProviderAbilities {
  readonly durationSeconds: { readonly min: number; readonly max: number }
  readonly resolutions: readonly GenerationRequest['resolution'][]
  readonly aspectRatios: readonly GenerationRequest['aspectRatio'][]
  readonly operations: readonly Operation[]
  /** Roles of references that it can take. */
  readonly roles: readonly ReferenceRole[]
  /** Modes that it can make; all of them, if this is absent. */
  readonly modes?: readonly Mode[]
}

/** Gives the bytes of a request's reference, from the store; may be called any number of times. */
export type OpenReference = (reference: Reference) => Promise<Readable>

export interface StartContext {
  /**
   * Whose job it is: equal for equal customers, and nothing else is said of them. For providers whose jobs run in this process,
   * which share it between customers; no upstream is told. Absent for a check that the operator makes.
   */
  readonly customer?: string
  /** Names this attempt; sent to the provider as its idempotency key where it has one. Equal on every repeat. */
  readonly token: string
  /**
   * Names the key to start with, as the provider's own `credential` did when the attempt was recorded: a repeat after a rotation
   * goes to the account that may have the job already. `undefined` where there was no key.
   */
  readonly credential?: string | undefined
  /** What an earlier call with this token has kept. */
  readonly kept?: JsonObject | undefined
  /**
   * Keeps something with the attempt before it is sent, over a crash and for whichever worker repeats the start, so that the
   * repeat says the very same. Throws where it cannot be kept: then nothing may be sent.
   */
  readonly keep: (what: JsonObject) => Promise<void>
  readonly openReference: OpenReference
  readonly signal: AbortSignal
}

export interface PollContext {
  /** As at the start. */
  readonly customer?: string
  readonly openReference: OpenReference
  readonly signal: AbortSignal
}

/** Why a provider surely began nothing. */
export type RejectionCause =
  /** It cannot take this request and never will; another provider may. */
  | 'request'
  /** Its content policy refuses: nobody else is asked. */
  | 'policy'
  /** It has no room now: a later try may pass. No fault. */
  | 'busy'
  /** It refuses us: the key is wrong, or the balance there is used up. The operator's affair. */
  | 'credentials'
  /** It is set up in such a way that it begins nothing, whatever is asked of it: a graph without output, a node that is missing. */
  | 'configuration'

export type StartOutcome =
  /** The provider has the job. `operation` is stored and given back to `poll` and `cancel`. */
  | { readonly kind: 'accepted'; readonly operation: JsonObject }
  /** The provider surely refused it: nothing runs, nothing is billed. `cause` is for the operator's log. */
  | {
      readonly kind: 'rejected'
      readonly because: RejectionCause
      readonly failure: Failure
      readonly retryAfterMs?: number
      readonly cause?: string
    }
  /**
   * The request surely never arrived (refused connection, DNS): it may be sent again. `isOurs` where it never left, for a reason
   * that is no fault of the provider's and that no other provider would mend: a file of the request cannot be read.
   */
  | { readonly kind: 'undelivered'; readonly cause: string; readonly isOurs?: true }
  /**
   * Nobody knows whether it arrived (time-out, reset, 5xx). A throw from `start` counts as this. `isFinal` where a repeat
   * with the same token would never tell, though the start is idempotent.
   */
  | { readonly kind: 'ambiguous'; readonly cause: string; readonly isFinal?: true }

/** A file that a provider made: on this disk, or to be fetched. */
export type ProducedAsset =
  /** The local path must stay readable until the task is settled. */
  | { readonly kind: 'video'; readonly path: string }
  | {
      readonly kind: 'video'
      /**
       * Its bytes from `fromByte` on, or from the beginning where the other side knows no ranges: `fromByte` of the answer
       * says which. Throws `AssetGone` where the link no longer works: a poll may give another.
       */
      readonly download: (wanted: { readonly fromByte: number; readonly signal: AbortSignal }) => Promise<AssetDownload>
    }

/** Dispose of it when done, read to the end or not. */
export interface AssetDownload extends AsyncDisposable {
  readonly fromByte: number
  /** Of the whole file, where the other side tells. */
  readonly totalBytes: number | undefined
  readonly body: AsyncIterable<Buffer>
}

/** A link to a finished video that no longer works. */
export class AssetGone extends Error {
  override readonly name = 'AssetGone'
}

/** A poll that got no answer of the job's, though the provider is well: the fault is ours, or it is only busy. */
export class BlamelessError extends Error {
  override readonly name: string = 'BlamelessError'
}

export type PollOutcome =
  /**
   * `progress` 0–100 where the provider tells; `pollAfterMs` where it asks for patience. `unknownStatus` is a status word
   * that the adapter does not know: the task goes on, and the operator hears of it.
   */
  | {
      readonly kind: 'pending'
      readonly progress?: number
      readonly pollAfterMs?: number
      readonly unknownStatus?: string
    }
  /**
   * The provider has no time to answer: it says nothing of the job, and is asked again after `pollAfterMs`, by default at its
   * usual pace. No fault of its health.
   */
  | { readonly kind: 'busy'; readonly pollAfterMs?: number }
  /**
   * The job is finished, for good. Without an asset the task is looked at a few times more, and then counts as failed by the
   * provider. `expiresAt` is when the provider deletes the video, where it says so; until then the task tries to store it.
   */
  | { readonly kind: 'succeeded'; readonly assets: readonly ProducedAsset[]; readonly expiresAt?: Date }
  /** `cause` is for the operator's log: what the customer is not told. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly cause?: string }
  /** The provider dropped the job because it took too long. */
  | { readonly kind: 'expired' }
  /** The provider does not know the job (any more). `Provider.goneJobs` says when that is believed, and what follows. */
  | { readonly kind: 'gone'; readonly cause?: string }

/** What it means that a provider does not know a job that it has accepted. */
export interface GoneJobs {
  /** Milliseconds for which all polls have to say so before it is believed; 0: the first one is. */
  readonly believedAfterMs: number
  /**
   * Whether such a job surely runs nowhere and is not billed, as of a server that keeps its jobs in memory: the task may be begun
   * anew, there or at another provider. Where this is false, only an idempotent start is repeated, with the same token.
   */
  readonly isSurelyLost: boolean
}

/** Of a provider that declares nothing: a job may be unknown for as long as a redeploy over there takes, and may be billed. */
export const DURABLE_JOBS: GoneJobs = { believedAfterMs: 5 * 60_000, isSurelyLost: false }

/** Of a server whose jobs live in its memory: one that answers and does not know a job has been restarted. */
export const JOBS_IN_MEMORY: GoneJobs = { believedAfterMs: 10_000, isSurelyLost: true }

/** A call of the provider's, as it came: whoever knows the address may have made it. */
export interface Webhook {
  readonly headers: IncomingHttpHeaders
  /** The very bytes: signatures are over them. */
  readonly body: Buffer
}

export type WebhookOutcome =
  /** Something may have happened to the job whose operation has this `id`; what has, only a poll tells. */
  | { readonly kind: 'hint'; readonly jobId: string }
  /** As the provider sends them, and about no job. */
  | { readonly kind: 'other' }
  /** Not signed as it has to be, or nothing that the provider sends. `cause` is for the operator's log. */
  | { readonly kind: 'refused'; readonly cause: string }

export interface Provider {
  /** Stable name, stored with each attempt. */
  readonly id: string
  readonly abilities: ProviderAbilities
  /** Which of the requests that its abilities cover it takes; all of them, if this is absent. */
  readonly takes?: (request: GenerationRequest) => boolean
  /** Set on providers that cost nobody anything: the only ones that test credits reach. */
  readonly isFree?: true
  /** Whether `start` may be repeated with the same token without making, or billing, a second job. */
  readonly startIsIdempotent: boolean
  /**
   * Pixels of which the sides of its frames are multiples. A video that is by that another size than was asked for is brought
   * to that size before it is stored. Absent: it makes every size itself.
   */
  readonly sizeStep?: number
  /** What it means that it does not know a job; `DURABLE_JOBS`, if this is absent. */
  readonly goneJobs?: GoneJobs
  /** How many jobs it runs at once; for `affinity: 'worker'`, on each worker. */
  readonly concurrency: number
  /** Creates in a minute that it lets us make; `undefined` where nobody says. */
  readonly requestsPerMinute?: number
  /**
   * Who may poll an operation: `any` worker, or first the `worker` that started it, because the job runs inside that
   * process. Such a worker keeps its lease between polls; when it dies the lease runs out and another takes over.
   */
  readonly affinity: 'any' | 'worker'
  /** How a video that it makes is to be marked (IPTC digital source type): a model's output, or a program's. */
  readonly sourceType: 'trainedAlgorithmicMedia' | 'algorithmicMedia'
  /** Milliseconds between polls while it says nothing else. */
  readonly pollEveryMs: number
  /** What it charges us for a request, in millionths of a US dollar; `undefined` where nobody knows, which is not 0. */
  readonly costMicroUsd?: (request: GenerationRequest) => number | undefined
  /** Names the key of new jobs without telling it; `undefined` where there is none. */
  readonly credential?: string | undefined

  start(request: GenerationRequest, context: StartContext): Promise<StartOutcome>
  /**
   * Throws when the provider cannot be reached or speaks nonsense: the task stays as it is and is polled again. What it throws
   * counts against the provider's health, unless it is a `BlamelessError`.
   */
  poll(operation: JsonObject, context: PollContext): Promise<PollOutcome>
  /** Asks the provider to stop. Twice is once; an unknown operation is no error. */
  cancel?(operation: JsonObject, context: Pick<PollContext, 'signal'>): Promise<void>
  /** Frees what the operation left behind (a file on this disk), after the task has been settled. Twice is once. */
  discard?(operation: JsonObject): Promise<void>
  /**
   * Reads a call of the provider's, and verifies it where the provider signs. It is a hint to poll and never the truth, so
   * nothing but the job's id is taken from it. Absent: the provider does not call, or nothing is configured to verify it by.
   */
  parseWebhook?(webhook: Webhook): WebhookOutcome
  /**
   * Asks something that costs nothing and changes nothing; throws what is wrong: unreachable, wrong key, or that it lists
   * its models and one of `models`, by the catalog's names, is not among them.
   */
  check?(context: Pick<PollContext, 'signal'> & { readonly models?: readonly string[] }): Promise<void>
}
