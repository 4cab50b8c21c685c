import type { AccountId } from '../canonical/ids.ts'
import {
  RATE_WINDOW_MS,
  type RateLimiter,
  type RateLimitState,
  type RequestKind,
  rateLimitState,
} from './rate-limit.ts'

/**
 * Windows kept at once: those of 50,000 accounts that all created and read within one minute, in 40 MB (measured: 410
 * bytes each). Beyond it the oldest window is forgotten, so its account starts a new one before its minute is over.
 */
const MAX_WINDOWS = 100_000

interface Window {
  used: number
  readonly endsAtMs: number
}

/** The limits of one process: synchronous, and so exact. With several processes each counts for itself. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #now: () => number
  readonly #maxWindows: number
  /** In the order in which they began, which is that in which they end. */
  readonly #windows = new Map<string, Window>()

  constructor(options: { readonly now?: () => number; readonly maxWindows?: number } = {}) {
    this.#now = options.now ?? Date.now
    this.#maxWindows = options.maxWindows ?? MAX_WINDOWS
  }

  /** Windows in memory, those that are over and not yet removed included. */
  get size(): number {
    return this.#windows.size
  }

  take(account: AccountId, kind: RequestKind, limit: number): RateLimitState {
    const nowMs = this.#now()
    const key = `${account} ${kind}`
    const known = this.#windows.get(key)
    const window = known !== undefined && isOpen(known, nowMs) ? known : this.#begin(key, nowMs)
    const allowed = window.used < limit
    if (allowed) window.used++
    return rateLimitState({ allowed, limit, used: window.used, endsAtMs: window.endsAtMs, nowMs })
  }

  #begin(key: string, nowMs: number): Window {
    this.#windows.delete(key)
    // Those that are over stand in front, so every window is looked at once more and removed: no timer is needed.
    for (const [oldest, window] of this.#windows) {
      if (isOpen(window, nowMs) && this.#windows.size < this.#maxWindows) break
      this.#windows.delete(oldest)
    }
    const window = { used: 0, endsAtMs: nowMs + RATE_WINDOW_MS }
    this.#windows.set(key, window)
    return window
  }
}

/** A window that ends later than one that began now was made before the clock was set back: it would last too long. */
function isOpen({ endsAtMs }: Window, nowMs: number): boolean {
  return nowMs < endsAtMs && endsAtMs <= nowMs + RATE_WINDOW_MS
}
