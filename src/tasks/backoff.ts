/** Longest pause between two tries: an upstream that recovers is noticed within it. */
const MAX_BACKOFF_MS = 60_000

/**
 * Milliseconds until the next try after `failures` in a row: doubling from `baseMs`, with jitter of half to one and a
 * half, so that tasks that failed together come back apart.
 */
export function backoffMs(baseMs: number, failures: number, random: () => number): number {
  const plain = Math.min(baseMs * 2 ** Math.min(failures, 20), MAX_BACKOFF_MS)
  return Math.round(plain * (0.5 + random()))
}
