/** The window that providers count their limits by. */
const WINDOW_MS = 60_000

/** How many jobs this worker may still begin at a provider that counts them by the minute. */
export class StartBudget {
  readonly #now: () => number
  #begun: number[] = []

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Jobs that may be begun now; as many as anybody wants, where there is no limit. */
  left(requestsPerMinute: number | undefined): number {
    if (requestsPerMinute === undefined) return Number.POSITIVE_INFINITY
    const since = this.#now() - WINDOW_MS
    this.#begun = this.#begun.filter((at) => at > since)
    return Math.max(0, requestsPerMinute - this.#begun.length)
  }

  spend(jobs: number): void {
    const now = this.#now()
    for (let job = 0; job < jobs; job++) this.#begun.push(now)
  }
}
