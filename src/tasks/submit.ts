/**
 * Creating tasks. The creates of concurrent requests are collected into one statement: nothing waits for company, but
 * whatever stands in the queue when a connection is free goes together. One commit then serves many requests, which is
 * what a busy server, and above all one busy account, spends its time on; each request still gets its own outcome.
 */
import pg from 'pg'
import { idOf, type TaskId } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { NewTask } from './new-task.ts'
import { type SubmitRow, submitTasks } from './queries.ts'

/** Requests in one statement: past some hundred the commit is paid off, and a failure would hit more callers. */
const MAX_BATCH = 256

/** Statements under way at once: one commits while the next is being written. */
const MAX_IN_FLIGHT = 2

/**
 * Statements under way at once for wallets that another session holds, one of a wallet at a time. They take turns apart from
 * the others, so a wallet that is held for long delays its own creates alone.
 */
const MAX_HELD_IN_FLIGHT = 2

/** How long a create waits for a wallet that is held: less than a client's patience, and more than any commit of ours takes. */
const HELD_PATIENCE_MS = 10_000

/** Creates of one held wallet that may wait. */
const MAX_WAITING_OF_HELD = 256

/** Requests that may wait. At a thousand creates a second this is seconds of waiting: better to say so. */
const MAX_WAITING = 5_000

export type SubmitOutcome =
  /** `createdAt` is by the database's clock. */
  | { readonly kind: 'created'; readonly id: TaskId; readonly createdAt: Date }
  /** The same key came with the same body before: `id` is the first one's. */
  | { readonly kind: 'replayed'; readonly id: TaskId; readonly createdAt: Date }
  /** The same key came with another body. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'insufficient'; readonly availableCredits: bigint }
  /** The queue of creates is full; nothing was written. */
  | { readonly kind: 'overloaded' }
  /** Another session has held the wallet for seconds; nothing was written. */
  | { readonly kind: 'busy' }

interface Waiting {
  readonly task: NewTask
  readonly sinceMs: number
  readonly resolve: (outcome: SubmitOutcome) => void
  readonly reject: (error: unknown) => void
}

export class Submitter {
  readonly #pool: pg.Pool
  readonly #waiting: Waiting[] = []
  /** Creates of wallets that another session holds, in the order in which they take turns. */
  readonly #held = new Map<WalletId, Waiting[]>()
  readonly #heldInFlight = new Set<WalletId>()
  #inFlight = 0

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** Creates the task with its hold and its idempotency key, or says why not. Throws when the database is away. */
  submit(task: NewTask): Promise<SubmitOutcome> {
    const held = this.#held.get(task.wallet)
    if (held !== undefined && held.length >= MAX_WAITING_OF_HELD) return Promise.resolve({ kind: 'busy' })
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve({ kind: 'overloaded' })
    return new Promise((resolve, reject) => {
      const queue = held ?? this.#waiting
      queue.push({ task, sinceMs: performance.now(), resolve, reject })
      this.#startFlush()
    })
  }

  #startFlush(): void {
    this.#startHeldFlush()
    if (this.#inFlight >= MAX_IN_FLIGHT || this.#waiting.length === 0) return
    this.#inFlight++
    // Requests that the event loop reads in this same turn belong to this batch.
    setImmediate(() => {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      this.#flush(batch)
        .then((busy) => {
          for (const waiting of busy) this.#hold(waiting)
        })
        .finally(() => {
          this.#inFlight--
          this.#startFlush()
        })
    })
  }

  #hold(waiting: Waiting): void {
    const { wallet } = waiting.task
    const others = this.#held.get(wallet)
    if (others === undefined) this.#held.set(wallet, [waiting])
    else others.push(waiting)
  }

  /** Tries a held wallet whose turn it is. What it still cannot do goes behind the other held wallets. */
  #startHeldFlush(): void {
    for (const [wallet, waiting] of this.#held) {
      if (this.#heldInFlight.size >= MAX_HELD_IN_FLIGHT) return
      if (this.#heldInFlight.has(wallet)) continue
      this.#heldInFlight.add(wallet)
      const batch = waiting.splice(0, MAX_BATCH)
      this.#flush(batch)
        .then((busy) => this.#settleHeld(wallet, busy))
        .finally(() => {
          this.#heldInFlight.delete(wallet)
          this.#startFlush()
        })
    }
  }

  #settleHeld(wallet: WalletId, busy: readonly Waiting[]): void {
    const others = this.#held.get(wallet) ?? []
    this.#held.delete(wallet)
    if (busy.length === 0) {
      this.#waiting.push(...others)
      return
    }
    const now = performance.now()
    const left = [...busy, ...others].filter((waiting) => {
      const isPatient = now - waiting.sinceMs < HELD_PATIENCE_MS
      if (!isPatient) waiting.resolve({ kind: 'busy' })
      return isPatient
    })
    if (left.length > 0) this.#held.set(wallet, left)
  }

  /** Creates a batch, and returns those whose wallets another session holds. */
  async #flush(batch: readonly Waiting[]): Promise<Waiting[]> {
    if (batch.length === 0) return []
    try {
      await faultPoint('submit.before')
      const rows = await submitTasks(
        this.#pool,
        batch.map((each) => each.task),
      )
      await faultPoint('submit.committed')
      const busy: Waiting[] = []
      for (const [index, waiting] of batch.entries()) {
        const row = rows[index]
        if (row === undefined) throw new Error(`submit_tasks gave ${rows.length} outcomes for ${batch.length} tasks`)
        if (row.outcome === 'busy') busy.push(waiting)
        else waiting.resolve(outcomeOf(row))
      }
      return busy
    } catch (error) {
      return await this.#fail(batch, error)
    }
  }

  /**
   * A statement that the database refused wrote nothing, so each request of the batch is tried alone: one that cannot be
   * stored must not fail its neighbours. A broken connection says nothing about the commit: those callers learn that.
   */
  async #fail(batch: readonly Waiting[], error: unknown): Promise<Waiting[]> {
    if (batch.length > 1 && isRefusedStatement(error)) {
      const busy: Waiting[] = []
      for (const waiting of batch) busy.push(...(await this.#flush([waiting])))
      return busy
    }
    for (const waiting of batch) waiting.reject(error)
    return []
  }
}

/**
 * Whether PostgreSQL itself refused what a statement says: a value that cannot be stored (class 22), or a rule of a table (23).
 * Anything else, such as a broken socket or a pooler's protocol error, says nothing of the statement, or would meet each request.
 */
function isRefusedStatement(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '')
}

function outcomeOf(row: Exclude<SubmitRow, { outcome: 'busy' }>): SubmitOutcome {
  switch (row.outcome) {
    case 'created':
    case 'replayed':
      return { kind: row.outcome, id: idOf('task', row.taskUuid), createdAt: row.createdAt }
    case 'conflict':
      return { kind: 'conflict' }
    case 'insufficient':
      return { kind: 'insufficient', availableCredits: row.availableCredits }
  }
}
