import { RATE_WINDOW_MS, type RateLimitState, type RequestKind } from '../accounts/rate-limit.ts'

const WINDOW_SECONDS = RATE_WINDOW_MS / 1000

/**
 * Where an account stands, in the three fields that customers' code knows (`-Reset` in seconds since 1970) and in the two
 * of draft-ietf-httpapi-ratelimit-headers-11 (seconds from now).
 */
export function rateLimitHeaders(kind: RequestKind, state: RateLimitState): Record<string, string> {
  const { limit, remaining, resetAtSeconds, resetAfterSeconds } = state
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(resetAtSeconds),
    'ratelimit-policy': `"${kind}";q=${limit};w=${WINDOW_SECONDS}`,
    ratelimit: `"${kind}";r=${remaining};t=${resetAfterSeconds}`,
  }
}
