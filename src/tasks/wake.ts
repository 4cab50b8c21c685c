import type { Queryable } from '../db/database.ts'

/** The channel on which workers hear that a task has become due. */
export const QUEUE_CHANNEL = 'reelay_queue'

/**
 * Wake-ups within this time become one. A notification takes a lock on the whole database while it commits, so it is not
 * part of the creating statement; a lost one costs at most the sweep's second.
 */
const COALESCE_MS = 5

/** Tells every worker that there is something to do. */
export class Waker {
  readonly #db: Queryable
  readonly #onError: (error: unknown) => void
  #pending: NodeJS.Timeout | undefined

  constructor(db: Queryable, onError: (error: unknown) => void) {
    this.#db = db
    this.#onError = onError
  }

  wake(): void {
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined
      this.#db.query('select pg_notify($1, $2)', [QUEUE_CHANNEL, '']).catch(this.#onError)
    }, COALESCE_MS)
  }
}
