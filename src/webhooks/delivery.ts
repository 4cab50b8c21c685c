import type { AccountId, Id, TaskId } from '../canonical/ids.ts'

/** `msg_…`: goes to the receiver as `webhook-id`, the same in every attempt, to tell repetitions by. */
export type DeliveryId = Id<'msg'>

export const DELIVERY_KINDS = ['callback', 'upload'] as const
/** A `callback` tells that a task has ended; an `upload` puts its video where the customer wants it. */
export type DeliveryKind = (typeof DELIVERY_KINDS)[number]

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const
/** `failed` is final unless an operator has it tried again. */
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** A delivery in the hands of a worker. */
export interface LeasedDelivery {
  readonly id: DeliveryId
  readonly fence: bigint
  readonly kind: DeliveryKind
  readonly taskId: TaskId
  readonly accountId: AccountId
  readonly url: string
  /** With its port. */
  readonly host: string
  /** Attempts before this one. */
  readonly attempts: number
}

/** A delivery as operators see it. */
export interface Delivery {
  readonly id: DeliveryId
  readonly kind: DeliveryKind
  readonly taskId: TaskId
  readonly accountId: AccountId
  /** Without its query, in which secrets stand. */
  readonly shownUrl: string
  readonly state: DeliveryState
  readonly attempts: number
  /** Of the next attempt; meaningful while it is pending. `undefined`: a restore has parked it until an operator decides. */
  readonly dueAt: Date | undefined
  readonly lastStatus: number | undefined
  readonly lastError: string | undefined
  readonly lastAttemptAt: Date | undefined
  readonly createdAt: Date
  readonly endedAt: Date | undefined
}

/** What came of one attempt. */
export type AttemptOutcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** To be tried again, unless that was the last attempt. */
  | {
      readonly kind: 'failed'
      readonly status: number | undefined
      /** One sentence, with nothing secret in it. */
      readonly error: string
      /** `Retry-After`, in milliseconds from now. */
      readonly retryAfterMs: number | undefined
    }
  /** Never to be tried again: the receiver says so, or there is nothing left to deliver. */
  | { readonly kind: 'refused'; readonly status: number | undefined; readonly error: string }
