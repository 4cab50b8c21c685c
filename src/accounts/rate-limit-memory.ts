import { FixedWindows } from './fixed-windows.ts'
import { type RateLimiter, type RateLimitState, type RateWindow, rateLimitState } from './rate-limit.ts'

/**
 * Windows kept at once: those of 50,000 accounts that all created and read within one minute, in 40 MB (measured: 410
 * bytes each). Beyond it the oldest window is forgotten, so its account starts a new one before its minute is over.
 */
const MAX_WINDOWS = 100_000

/** The limits of one process: synchronous, and so exact. With several processes each counts for itself. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #windows: FixedWindows

  constructor({ now = Date.now, maxWindows = MAX_WINDOWS }: { now?: () => number; maxWindows?: number } = {}) {
    this.#windows = new FixedWindows({ now, maxWindows })
  }

  /** Windows in memory, those that are over and not yet removed included. */
  get size(): number {
    return this.#windows.size
  }

  take({ account, mode, kind }: RateWindow, limit: number): RateLimitState {
    return rateLimitState(this.#windows.take(`${account} ${mode} ${kind}`, limit))
  }
}
