/**
 * Whether a provider is well, as one worker sees it. Faults of the provider itself (unreachable, time-outs, 5xx, nonsense)
 * are counted; what it refuses for good reason, and that it is busy, are not faults. Starts and polls are counted apart: a
 * server that answers polls may fail at every create, so only a start closes the breaker. Polls that fail open it, too;
 * when they work again, the half open state lets the start through that closes it.
 *
 *   closed ──faults in a row──▶ open ──time──▶ half open ──one answered start──▶ closed
 *                                 ▲                │
 *                                 └───── fault ────┘
 */

/** Faults in a row, of starts or of polls, until nothing new is sent there: a single dropped connection is no outage. */
const FAULTS_TO_OPEN = 5

/** First pause, and the longest: it doubles while the provider stays ill. */
const FIRST_PAUSE_MS = 15_000
const LONGEST_PAUSE_MS = 5 * 60_000

/** A trial of which nothing is heard by then, twice what a start may take, never came to be: another may be made. */
const LONGEST_TRIAL_MS = 60_000

export type CircuitState = 'closed' | 'open' | 'half open'

export class CircuitBreaker {
  readonly #now: () => number
  #startFaults = 0
  #pollFaults = 0
  #openings = 0
  #openUntil: number | undefined
  /** When the trial under way is given up; `undefined` while there is none. */
  #trialUntil: number | undefined

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
        return this.#isProbing() ? 0 : Math.min(1, wanted)
    }
  }

  /** New jobs have been sent. */
  sent(count: number): void {
    if (count > 0 && this.state === 'half open') this.#trialUntil = this.#now() + LONGEST_TRIAL_MS
  }

  /** The provider answered a start, whatever it said. */
  answered(): void {
    this.#startFaults = 0
    this.#pollFaults = 0
    this.#openings = 0
    this.#openUntil = undefined
    this.#trialUntil = undefined
  }

  /** The provider did not answer a start, or not as a working one would. */
  faulted(): void {
    this.#startFaults += 1
    this.#trialUntil = undefined
    if (this.state === 'half open' || this.#startFaults >= FAULTS_TO_OPEN) this.#open()
  }

  /** The provider answered a poll: it can be reached, which does not say that it takes new jobs. */
  pollAnswered(): void {
    this.#pollFaults = 0
  }

  /** The provider did not answer a poll, or not as a working one would. */
  pollFaulted(): void {
    this.#pollFaults += 1
    if (this.#pollFaults >= FAULTS_TO_OPEN) this.#open()
  }

  #isProbing(): boolean {
    return this.#trialUntil !== undefined && this.#now() < this.#trialUntil
  }

  /** What was sent before it opened does not open it once more. */
  #open(): void {
    if (this.state === 'open') return
    this.#trialUntil = undefined
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#openings, LONGEST_PAUSE_MS)
    this.#openings += 1
    this.#openUntil = this.#now() + pauseMs
  }
}
