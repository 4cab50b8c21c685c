import type { GenerationRequest } from '../canonical/generation.ts'
import type { Id, TaskId } from '../canonical/ids.ts'
import type { Json } from '../canonical/json.ts'
import type { WalletId } from '../ledger/queries.ts'

/** A task that is to be created: validated, quoted, routed. */
export interface NewTask {
  readonly id: TaskId
  readonly wallet: WalletId
  readonly dialect: string
  readonly model: string
  readonly request: GenerationRequest
  /** As it was sent, where reads of its dialect show it. */
  readonly body: Json | undefined
  readonly clientRequestId: string | undefined
  /** The request that creates it. */
  readonly traceId: Id<'req'>
  readonly callbackUrl: string | undefined
  readonly uploadUrl: string | undefined
  readonly priceCredits: bigint
  /** The provider that it is queued for. */
  readonly provider: string
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | undefined
}
