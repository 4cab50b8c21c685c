import { type CountedWindow, RATE_WINDOW_MS } from './rate-limit.ts'

interface Window {
  used: number
  readonly endsAtMs: number
}

/** What is counted, by its key, in windows of a minute that begin with the first count; see `rate-limit.ts`. */
export class FixedWindows {
  readonly #now: () => number
  readonly #maxWindows: number
  /** In the order in which they began, which is that in which they end. */
  readonly #windows = new Map<string, Window>()

  /** Beyond `maxWindows` the oldest is forgotten, so what it counted starts anew before its minute is over. */
  constructor({ now, maxWindows }: { readonly now: () => number; readonly maxWindows: number }) {
    this.#now = now
    this.#maxWindows = maxWindows
  }

  /** Windows in memory, those that are over and not yet removed included. */
  get size(): number {
    return this.#windows.size
  }

  /** Counts one more, unless the limit is reached. */
  take(key: string, limit: number): CountedWindow {
    const nowMs = this.#now()
    const known = this.#windows.get(key)
    const window = known !== undefined && isOpen(known, nowMs) ? known : this.#begin(key, nowMs)
    const allowed = window.used < limit
    if (allowed) window.used++
    return { allowed, limit, used: window.used, endsAtMs: window.endsAtMs, nowMs }
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
