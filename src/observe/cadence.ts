/** Lines that are remembered at once; past this the oldest is forgotten, and may be said once more than it should. */
const MAX_LINES = 1_000

/** Says when a line that would come again and again, at each step of thousands of tasks, is due once more. */
export class Cadence {
  readonly #now: () => number
  /** When each line was due last, the longest ago first. */
  readonly #saidAt = new Map<string, number>()

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether `line` has not been due for `everyMs`; it counts as said then. */
  isDue(line: string, everyMs: number): boolean {
    const now = this.#now()
    const saidAt = this.#saidAt.get(line)
    if (saidAt !== undefined && now - saidAt < everyMs) return false
    this.#saidAt.delete(line)
    this.#saidAt.set(line, now)
    const [oldest] = this.#saidAt.keys()
    if (this.#saidAt.size > MAX_LINES && oldest !== undefined) this.#saidAt.delete(oldest)
    return true
  }
}
