/**
 * Creating tasks. The creates of concurrent requests are collected into one statement: nothing waits for company, but
 * whatever stands in the queue when a connection is free goes together. One commit then serves many requests, which is
 * what a busy server, and above all one busy account, spends its time on; each request still gets its own outcome.
 */
import type pg from 'pg'
import { idOf, type TaskId } from '../canonical/ids.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { NewTask } from './new-task.ts'
import { type SubmitRow, submitTasks } from './queries.ts'

/** Requests in one statement: past some hundred the commit is paid off, and a failure would hit more callers. */
const MAX_BATCH = 256

/** Statements under way at once: one commits while the next is being written. */
const MAX_IN_FLIGHT = 2

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

interface Waiting {
  readonly task: NewTask
  readonly resolve: (outcome: SubmitOutcome) => void
  readonly reject: (error: unknown) => void
}

export class Submitter {
  readonly #pool: pg.Pool
  readonly #waiting: Waiting[] = []
  #inFlight = 0

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** Creates the task with its hold and its idempotency key, or says why not. Throws when the database is away. */
  submit(task: NewTask): Promise<SubmitOutcome> {
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve({ kind: 'overloaded' })
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject })
      this.#startFlush()
    })
  }

  #startFlush(): void {
    if (this.#inFlight >= MAX_IN_FLIGHT || this.#waiting.length === 0) return
    this.#inFlight++
    // Requests that the event loop reads in this same turn belong to this batch.
    setImmediate(() => {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      this.#flush(batch).finally(() => {
        this.#inFlight--
        this.#startFlush()
      })
    })
  }

  async #flush(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    try {
      await faultPoint('submit.before')
      const rows = await submitTasks(
        this.#pool,
        batch.map((each) => each.task),
      )
      await faultPoint('submit.committed')
      for (const [index, waiting] of batch.entries()) {
        const row = rows[index]
        if (row === undefined) throw new Error(`submit_tasks gave ${rows.length} outcomes for ${batch.length} tasks`)
        waiting.resolve(outcomeOf(row))
      }
    } catch (error) {
      await this.#fail(batch, error)
    }
  }

  /**
   * A statement that the database refused wrote nothing, so each request of the batch is tried alone: one that cannot be
   * stored must not fail its neighbours. A broken connection says nothing about the commit: those callers learn that.
   */
  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length > 1 && isRefusedStatement(error)) {
      for (const waiting of batch) await this.#flush([waiting])
      return
    }
    for (const waiting of batch) waiting.reject(error)
  }
}

/** Whether PostgreSQL itself answered with an error: five characters of SQLSTATE, but not that it is being shut down. */
function isRefusedStatement(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57P')
}

function outcomeOf(row: SubmitRow): SubmitOutcome {
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
