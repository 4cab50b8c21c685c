/**
 * Whether a provider is well, as one worker sees it. Faults of the provider itself (unreachable, time-outs, 5xx, nonsense)
 * are counted; what it refuses for good reason, and that it is busy, are not faults.
 *
 *   closed ──faults in a row──▶ open ──time──▶ half open ──one good answer──▶ closed
 *                                 ▲                │
 *                                 └───── fault ────┘
 */

/** Faults in a row until nothing new is sent there: a single dropped connection is no outage. */
const FAULTS_TO_OPEN = 5

/** First pause, and the longest: it doubles while the provider stays ill. */
const FIRST_PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 5 * 60_000

export type CircuitState = 'closed' | 'open' | 'half open'

export class CircuitBreaker {
  readonly #now: () => number
  #faults = 0
  #openings = 0
  #openUntil: number | undefined
  #isProbing = false

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get state(): CircuitState {
    if (this.#openUntil === undefined) return 'closed'
    return this.#now() < this.#openUntil ? 'open' : 'half open'
  }

  /** How many new jobs may be sent now, at most `wanted`: in the half open state one at a time, to try. */
  allows(wanted: number): number {
    switch (this.state) {
      case 'closed':
        return wanted
      case 'open':
        return 0
      case 'half open':
        return this.#isProbing ? 0 : Math.min(1, wanted)
    }
  }

  /** New jobs have been sent. */
  sent(count: number): void {
    if (count > 0 && this.state === 'half open') this.#isProbing = true
  }

  /** The provider answered, whatever it said. */
  answered(): void {
    this.#faults = 0
    this.#openings = 0
    this.#openUntil = undefined
    this.#isProbing = false
  }

  /** The provider did not answer, or not as a working one would. */
  faulted(): void {
    this.#faults += 1
    this.#isProbing = false
    const isTried = this.state === 'half open'
    if (!isTried && (this.state === 'open' || this.#faults < FAULTS_TO_OPEN)) return
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#openings, LONGEST_PAUSE_MS)
    this.#openings += 1
    this.#openUntil = this.#now() + pauseMs
  }
}
