/**
 * Writes down what polls came to. With thousands of jobs under way each statement of its own, and each commit, would cost
 * more than the poll; so what is to be saved while a statement is under way goes together with the next one. Nothing waits
 * for company, and each poll still counts or not by the fencing token of its own lease.
 */
import type { Queryable } from '../db/database.ts'
import { type SavedPoll, savePolls } from './poll-queries.ts'

/** Polls in one statement: past some hundred the commit is paid off. */
const MAX_BATCH = 500

/** Statements under way at once: one commits while the next is being written. */
const MAX_IN_FLIGHT = 2

interface Waiting {
  readonly poll: SavedPoll
  readonly resolve: (saved: boolean) => void
  readonly reject: (error: unknown) => void
}

export class PollSaver {
  readonly #db: Queryable
  readonly #waiting: Waiting[] = []
  #inFlight = 0

  constructor(db: Queryable) {
    this.#db = db
  }

  /** False: the lease was lost, and nothing was written. Throws when the database is away. */
  save(poll: SavedPoll): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ poll, resolve, reject })
      this.#startFlush()
    })
  }

  #startFlush(): void {
    if (this.#inFlight >= MAX_IN_FLIGHT || this.#waiting.length === 0) return
    this.#inFlight += 1
    // Polls that the event loop reads in this same turn belong to this batch.
    setImmediate(async () => {
      await this.#flush(this.#waiting.splice(0, MAX_BATCH))
      this.#inFlight -= 1
      this.#startFlush()
    })
  }

  async #flush(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    try {
      const saved = await savePolls(
        this.#db,
        batch.map(({ poll }) => poll),
      )
      for (const { poll, resolve } of batch) resolve(saved.has(poll.task.id))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
