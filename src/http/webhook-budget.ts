/**
 * Calls of one provider in a second that this process looks into. Ten thousand jobs that end within a minute are 170 a
 * second; each is one small statement, so customers' requests do not notice as many.
 */
const CALLS_PER_SECOND = 200

const SECOND_MS = 1_000

/** Bounds the calls of each provider by themselves; ask only for providers that there are, for each is kept. */
export class WebhookBudget {
  readonly #now: () => number
  readonly #seconds = new Map<string, { readonly beganAt: number; used: number }>()

  /** `now`: milliseconds of a clock that is never set back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** False: not this second. */
  take(provider: string): boolean {
    const now = this.#now()
    let second = this.#seconds.get(provider)
    if (second === undefined || now - second.beganAt >= SECOND_MS) {
      second = { beganAt: now, used: 0 }
      this.#seconds.set(provider, second)
    }
    second.used += 1
    return second.used <= CALLS_PER_SECOND
  }
}
