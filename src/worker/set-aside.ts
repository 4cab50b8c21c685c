import type { Logger } from 'pino'
import type { TaskId } from '../canonical/ids.ts'
import type { Endings } from '../tasks/settle-queries.ts'

/** Until a task that could not be ended is tried, and its cause logged, again. */
const REFUSED_MS = 60 * 60_000

/** Until a task whose wallet was held is tried again. */
const BUSY_MS = 30_000

/** More are the work of one fault, whose first thousand cases tell enough: the oldest are tried again. */
const MAX_ASIDE = 1_000

/** Overdue or canceled tasks that could not be ended just now. They are passed over for a while, so that they hold up no other task. */
export class SetAside {
  readonly #until = new Map<TaskId, number>()
  readonly #log: Pick<Logger, 'error'>
  readonly #now: () => number

  constructor(log: Pick<Logger, 'error'>, now: () => number = () => performance.now()) {
    this.#log = log
    this.#now = now
  }

  get ids(): TaskId[] {
    const now = this.#now()
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id)
    return [...this.#until.keys()]
  }

  add({ refused, busy }: Pick<Endings, 'refused' | 'busy'>): void {
    for (const id of busy) this.#until.set(id, this.#now() + BUSY_MS)
    for (const { id, error } of refused) {
      this.#until.set(id, this.#now() + REFUSED_MS)
      this.#log.error(
        { err: error, task: id, retryInMs: REFUSED_MS },
        'an overdue or canceled task cannot be ended, and its credits stay on hold; "reelay doctor" lists such tasks',
      )
    }
    for (const id of this.#until.keys()) {
      if (this.#until.size <= MAX_ASIDE) break
      this.#until.delete(id)
    }
  }
}
