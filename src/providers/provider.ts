/**
 * The contract between the task machine and whatever makes a video: an upstream API, a GPU server, our own renderer.
 *
 * The task machine commits an attempt, with its token, before `start` is called, and saves the operation that `start`
 * answers. From then on the operation is all that is known: it is opaque JSON, it survives a crash of this process, and
 * `poll` and `cancel` need nothing else. An adapter knows wires; it knows no prices, no HTTP routes and no dialects.
 */
import type { Readable } from 'node:stream'
import type { Failure } from '../canonical/failure.ts'
import type { GenerationRequest, Operation } from '../canonical/generation.ts'
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
}

/** Gives the bytes of a request's reference, from the store; may be called any number of times. */
export type OpenReference = (reference: Reference) => Promise<Readable>

export interface StartContext {
  /** Names this attempt; sent to the provider as its idempotency key where it has one. Equal on every repeat. */
  readonly token: string
  readonly openReference: OpenReference
  readonly signal: AbortSignal
}

export interface PollContext {
  readonly openReference: OpenReference
  readonly signal: AbortSignal
}

export type StartOutcome =
  /** The provider has the job. `operation` is stored and given back to `poll` and `cancel`. */
  | { readonly kind: 'accepted'; readonly operation: JsonObject }
  /** The provider surely refused it: nothing runs, nothing is billed. `retryable` when a later try may pass (busy). */
  | { readonly kind: 'rejected'; readonly failure: Failure; readonly retryable: boolean }
  /** The request surely never arrived (refused connection, DNS): it may be sent again. */
  | { readonly kind: 'undelivered'; readonly cause: string }
  /** Nobody knows whether it arrived (time-out, reset, 5xx). A throw from `start` counts as this. */
  | { readonly kind: 'ambiguous'; readonly cause: string }

/** A file that a provider made. The local path must stay readable until the task is settled. */
export interface ProducedAsset {
  readonly kind: 'video'
  readonly path: string
}

export type PollOutcome =
  /** `progress` 0–100 where the provider tells; `pollAfterMs` where it asks for patience. */
  | { readonly kind: 'pending'; readonly progress?: number; readonly pollAfterMs?: number }
  | { readonly kind: 'succeeded'; readonly assets: readonly ProducedAsset[] }
  /** `cause` is for the operator's log: what the customer is not told. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly cause?: string }
  /** The provider dropped the job because it took too long. */
  | { readonly kind: 'expired' }

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
  /** How many jobs it runs at once; for `affinity: 'worker'`, on each worker. */
  readonly concurrency: number
  /**
   * Who may poll an operation: `any` worker, or first the `worker` that started it, because the job runs inside that
   * process. Such a worker keeps its lease between polls; when it dies the lease runs out and another takes over.
   */
  readonly affinity: 'any' | 'worker'
  /** How a video that it makes is to be marked (IPTC digital source type): a model's output, or a program's. */
  readonly sourceType: 'trainedAlgorithmicMedia' | 'algorithmicMedia'
  /** Milliseconds between polls while it says nothing else. */
  readonly pollEveryMs: number

  start(request: GenerationRequest, context: StartContext): Promise<StartOutcome>
  /** Throws when the provider cannot be reached or speaks nonsense: the task stays as it is and is polled again. */
  poll(operation: JsonObject, context: PollContext): Promise<PollOutcome>
  /** Asks the provider to stop. Twice is once; an unknown operation is no error. */
  cancel?(operation: JsonObject, context: Pick<PollContext, 'signal'>): Promise<void>
  /** Frees what the operation left behind (a file on this disk), after the task has been settled. Twice is once. */
  discard?(operation: JsonObject): Promise<void>
}
