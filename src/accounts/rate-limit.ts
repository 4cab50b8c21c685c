/**
 * How many requests an account may make: the contract of a rate limiter, and what its implementations have in common.
 *
 * The algorithm is a fixed window per account, mode and kind of request that begins with its first request. It is exact (the
 * limit-th request is taken, the next one is not, however many come at once), it is one count and one instant to keep,
 * and that instant is what `X-RateLimit-Reset` promises: then the whole limit is there again. A sliding window has no
 * such instant, and a token bucket would let more than the limit pass in the first minute. The price: around the end of
 * a window up to twice the limit can pass within a minute. Requests that are refused are not counted.
 */
import type { AccountId } from '../canonical/ids.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'

/** A minute: plans promise requests a minute. */
export const RATE_WINDOW_MS = 60_000

/**
 * Requests that create a task or upload a file (`create`), and all others (`read`), are counted apart: whoever polls a lot
 * can still create, and whoever has created too much can still read.
 */
export type RequestKind = 'create' | 'read'

/** What is counted together: the requests of one kind that an account makes in one mode. So test keys never spend what live keys may. */
export interface RateWindow {
  readonly account: AccountId
  readonly mode: WalletMode
  readonly kind: RequestKind
}

/** One request, counted or refused, and where it leaves its account. */
export interface RateLimitState {
  /** Whether the request may go on. */
  readonly allowed: boolean
  /** Requests a window. */
  readonly limit: number
  /** What is left of the limit in this window. */
  readonly remaining: number
  /** When the whole limit is there again: seconds since 1970, rounded up, so that it is never too early. */
  readonly resetAtSeconds: number
  /** The same from now on: whole seconds, at least 1. */
  readonly resetAfterSeconds: number
}

/** Counts requests. Many may be asked at once; together they allow exactly the limit. */
export interface RateLimiter {
  /**
   * Counts one request against `limit` (at least 1) requests a window. The limit may be another one each
   * time: a changed plan holds in the window that is open. Never throws, and never keeps a request waiting for long.
   */
  take(window: RateWindow, limit: number): RateLimitState | Promise<RateLimitState>
}

/** A window as an implementation keeps it, just after a request was counted or refused. */
export interface CountedWindow {
  readonly allowed: boolean
  readonly limit: number
  /** Requests counted, this one included if it was. More than the limit if that was lowered since. */
  readonly used: number
  readonly endsAtMs: number
  /** By the clock that set `endsAtMs`. */
  readonly nowMs: number
}

/** What callers get to know of a window. */
export function rateLimitState({ allowed, limit, used, endsAtMs, nowMs }: CountedWindow): RateLimitState {
  return {
    allowed,
    limit,
    remaining: Math.max(0, limit - used),
    resetAtSeconds: Math.ceil(endsAtMs / 1000),
    resetAfterSeconds: Math.max(1, Math.ceil((endsAtMs - nowMs) / 1000)),
  }
}
