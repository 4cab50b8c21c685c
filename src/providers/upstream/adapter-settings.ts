import type { Json } from '../../canonical/json.ts'
import type { FetchPolicy } from '../../media/fetch-policy.ts'

/** What an adapter is made with: one entry of the operator's configuration. */
export interface AdapterSettings {
  /** The provider's id, stored with each attempt. */
  readonly name: string
  /** What the vendor's documentation calls its base URL, without a slash at the end. */
  readonly baseUrl: string
  /** The first is used for new jobs; the others serve the jobs that they started. */
  readonly apiKeys: readonly string[]
  /** The provider's own name of the model; by default the request's. */
  readonly model: string | undefined
  readonly concurrency: number | undefined
  readonly requestsPerMinute: number | undefined
  readonly timeoutMs: number | undefined
  readonly pollEveryMs: number | undefined
  /** For a second of video. Unknown is not zero. */
  readonly costMicroUsd: number | undefined
  /** Pixels of which the sides of its frames are multiples; by default what is usual for the kind. */
  readonly sizeStep?: number | undefined
  /** Whether the server behind the URL honours `Idempotency-Key`, where the vendor documents none. */
  readonly honoursIdempotencyKey: boolean | undefined
  /** What the provider signs its webhooks with: `whsec_…`. */
  readonly webhookSecret: string | undefined
  /** Where the provider is to call when a job has ended; `undefined`: it is not told. */
  readonly callbackUrl: string | undefined
  readonly workflow: Workflow | undefined
  /** Where the URLs of results may lead: they come from the provider, and are trusted no more than a customer's. */
  readonly fetchPolicy: FetchPolicy
}

/** A ComfyUI graph, and which of its inputs (`<node id>.<input>`) take what a request asks for. */
export interface Workflow {
  readonly graph: Json
  readonly inputs: Readonly<Partial<Record<'prompt' | 'width' | 'height' | 'frames' | 'seed' | 'image', string>>>
  readonly framesPerSecond: number
}
