/**
 * Makes the deliveries of one kind that are due. Like a provider's lane it shares nothing but the database with others,
 * so a slow upload delays no callback; and its places are shared between accounts, however many receivers each names, so that
 * slow receivers of some leave places for the others.
 */
import { setMaxListeners } from 'node:events'
import type { Logger } from 'pino'
import { faultPoint } from '../observe/fault-point.ts'
import type { Metrics } from '../observe/metrics.ts'
import {
  CALLBACK_TIMEOUT_MS,
  type DeliveryContext,
  deliverCallback,
  deliverUpload,
  UPLOAD_TIMEOUT_MS,
} from '../webhooks/deliver.ts'
import type { AttemptOutcome, DeliveryKind, LeasedDelivery } from '../webhooks/delivery.ts'
import { planNext } from '../webhooks/plan-next.ts'
import { claimDueDeliveries, recordAttempt } from '../webhooks/queries.ts'

/** Around an attempt: reading the task, rendering, recording. A worker that dies is replaced after it. */
const LEASE_MARGIN_MS = 30_000

/** The sweep: how long a task that another process ended waits for its callback. */
const SWEEP_MS = 500

/** When the process stops, attempts under way may end by themselves for this long; the rest are made again later. */
const GRACE_MS = 5_000

interface Bounds {
  /** Attempts under way at once in this process. */
  readonly all: number
  /** To one host and port. */
  readonly perHost: number
  /** For one account while no other has any; the more are under way, the fewer (`mayTake`). */
  readonly perAccount: number
  readonly leaseMs: number
}

/** A callback costs a socket and a few kilobytes; an upload also reads a file and fills the line. */
const BOUNDS: Readonly<Record<DeliveryKind, Bounds>> = {
  callback: { all: 128, perHost: 8, perAccount: 32, leaseMs: CALLBACK_TIMEOUT_MS + LEASE_MARGIN_MS },
  upload: { all: 16, perHost: 4, perAccount: 4, leaseMs: UPLOAD_TIMEOUT_MS + LEASE_MARGIN_MS },
}

const ATTEMPTS: Readonly<
  Record<DeliveryKind, (context: DeliveryContext, delivery: LeasedDelivery) => Promise<AttemptOutcome>>
> = { callback: deliverCallback, upload: deliverUpload }

export interface DeliveryLaneOptions extends Omit<DeliveryContext, 'signal'> {
  readonly kind: DeliveryKind
  readonly worker: string
  readonly log: Logger
  readonly deliveries: Metrics['deliveries']
  /** Aborted when the process stops. */
  readonly signal: AbortSignal
  readonly random: () => number
}

export class DeliveryLane {
  readonly #options: DeliveryLaneOptions
  readonly #bounds: Bounds
  readonly #underWay = new Map<Promise<void>, LeasedDelivery>()
  /** Cuts off what is still under way after the grace. */
  readonly #cut = new AbortController()
  #wake: (() => void) | undefined
  #awake = false

  constructor(options: DeliveryLaneOptions) {
    this.#options = options
    this.#bounds = BOUNDS[options.kind]
    // One listener for each attempt under way, however many.
    setMaxListeners(0, this.#cut.signal)
  }

  /** Something may be due: look now. */
  wake(): void {
    this.#awake = true
    this.#wake?.()
  }

  /** Works until the signal is aborted, then waits a moment for what is under way. */
  async run(): Promise<void> {
    const { signal, log, kind } = this.#options
    signal.addEventListener('abort', () => this.wake(), { once: true })
    while (!signal.aborted) {
      this.#awake = false
      try {
        if ((await this.#claim()) > 0) continue
      } catch (error) {
        log.error({ err: error, kind }, 'due deliveries could not be read')
      }
      await this.#pause()
    }
    const grace = setTimeout(() => this.#cut.abort(), GRACE_MS)
    await Promise.allSettled(this.#underWay.keys())
    clearTimeout(grace)
  }

  async #claim(): Promise<number> {
    const { db, kind, worker } = this.#options
    const { all, perHost, perAccount, leaseMs } = this.#bounds
    const limit = all - this.#underWay.size
    if (limit <= 0) return 0
    const busy = [...this.#underWay.values()]
    const claimed = await claimDueDeliveries(db, {
      kind,
      worker,
      limit,
      leaseMs,
      roomOfHost: new Map([...countsOf(busy.map(({ host }) => host))].map(([host, held]) => [host, perHost - held])),
      maxPerHost: perHost,
      heldByAccount: countsOf(busy.map(({ accountId }) => accountId)),
      shares: { atOnce: all, ofOneKey: perAccount },
    })
    for (const delivery of claimed) {
      const attempt = this.#attempt(delivery).finally(() => {
        this.#underWay.delete(attempt)
        this.wake()
      })
      this.#underWay.set(attempt, delivery)
    }
    return claimed.length
  }

  async #attempt(delivery: LeasedDelivery): Promise<void> {
    const { log } = this.#options
    try {
      const outcome = await this.#outcomeOf(delivery)
      if (outcome !== undefined) await this.#record(delivery, outcome)
    } catch (error) {
      log.error({ err: error, delivery: delivery.id }, 'an attempt could not be recorded; it will be made again')
    }
  }

  /** `undefined`: it was cut off, and does not count. A fault of ours counts, so that it is not repeated for ever. */
  async #outcomeOf(delivery: LeasedDelivery): Promise<AttemptOutcome | undefined> {
    const { kind, log } = this.#options
    try {
      return await ATTEMPTS[kind]({ ...this.#options, signal: this.#cut.signal }, delivery)
    } catch (error) {
      if (this.#cut.signal.aborted) return undefined
      log.error({ err: error, delivery: delivery.id, task: delivery.taskId }, 'a delivery failed by a fault of ours')
      return { kind: 'failed', status: undefined, error: 'A fault of ours; it is in the log.', retryAfterMs: undefined }
    }
  }

  async #record(delivery: LeasedDelivery, outcome: AttemptOutcome): Promise<void> {
    const { db, kind, log, deliveries, random } = this.#options
    await faultPoint('deliver.sent')
    const attempt = delivery.attempts + 1
    const plan = planNext(outcome, attempt, random)
    const error = outcome.kind === 'delivered' ? undefined : outcome.error
    const recorded = await recordAttempt(db, delivery, { plan, status: outcome.status, error })
    // Of a URL only the host is logged: secrets stand in queries, and in paths too.
    const about = { delivery: delivery.id, task: delivery.taskId, kind, host: delivery.host, attempt }
    if (!recorded) {
      log.info(about, 'an attempt took longer than its lease; another one counts')
      return
    }
    deliveries.inc({ kind, outcome: plan.state === 'pending' ? 'retried' : plan.state })
    if (plan.state === 'delivered') log.info(about, 'delivered')
    else log.warn({ ...about, error, next: plan.state === 'pending' ? plan.inMs : 'given up' }, 'not delivered')
  }

  async #pause(): Promise<void> {
    if (this.#awake || this.#options.signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SWEEP_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}

/** How often each key is among them. */
function countsOf<Key>(keys: readonly Key[]): Map<Key, number> {
  const counts = new Map<Key, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
