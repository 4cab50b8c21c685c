import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient, Generation } from './api-client.ts'
import { ProgressBar } from './progress-bar.ts'

/** At most 60 reads a minute, whatever happens in it: the smallest plan, Free, allows 100, and scripts read beside this. */
const READ_EVERY_MS = 1_000

/** A read answers at the next change. What changed just before it is seen at its end, so the bar is no staler than this. */
const WAIT_SECONDS = 5

/** Waits so long, or until the signal aborts. */
type Pause = (ms: number, signal: AbortSignal | undefined) => Promise<void>

/** Reads a generation until it has ended, showing its progress. An abort cancels it, at once. */
export async function followGeneration(
  client: ApiClient,
  id: string,
  { signal, pause = sleep }: { readonly signal: AbortSignal; readonly pause?: Pause },
): Promise<Generation> {
  const bar = new ProgressBar()
  try {
    for (;;) {
      const beganMs = performance.now()
      const canceling = signal.aborted
      const outcome = canceling ? await client.cancel(id) : await client.read(id, { waitSeconds: WAIT_SECONDS, signal })
      if (outcome.kind === 'aborted') continue
      let pauseMs = READ_EVERY_MS - (performance.now() - beganMs)
      if (outcome.kind === 'busy') {
        pauseMs = Math.max(pauseMs, outcome.retryAfterMs)
      } else {
        const { generation } = outcome
        bar.show(percentOf(generation), wordFor(generation))
        if (generation.status !== 'queued' && generation.status !== 'processing') return generation
      }
      // The abort ends the pause before the cancel, and none of those between attempts to cancel.
      if (pauseMs > 0) await pause(pauseMs, canceling ? undefined : signal)
    }
  } finally {
    bar.end()
  }
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // An abort is told by the signal itself.
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {})
}

function percentOf(generation: Generation): number {
  return generation.status === 'succeeded' ? 100 : (generation.progress ?? 0)
}

function wordFor({ status, queuePosition }: Generation): string {
  if (status !== 'queued' || queuePosition === undefined) return status
  return queuePosition === 0 ? 'queued, next' : `queued, ${queuePosition} before it`
}
