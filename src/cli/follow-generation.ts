import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient, Generation } from './api-client.ts'
import { ProgressBar } from './progress-bar.ts'

/** Often enough to look alive; a read costs the server half a millisecond. */
const POLL_EVERY_MS = 250

/** Reads a generation until it has ended, showing its progress. An abort cancels it. */
export async function followGeneration(client: ApiClient, id: string, signal: AbortSignal): Promise<Generation> {
  const bar = new ProgressBar()
  try {
    for (;;) {
      const generation = signal.aborted ? await client.cancel(id) : await client.get(id)
      bar.show(percentOf(generation), wordFor(generation))
      if (generation.status !== 'queued' && generation.status !== 'processing') return generation
      await delay(POLL_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  } finally {
    bar.end()
  }
}

function percentOf(generation: Generation): number {
  return generation.status === 'succeeded' ? 100 : (generation.progress ?? 0)
}

function wordFor({ status, queuePosition }: Generation): string {
  if (status !== 'queued' || queuePosition === undefined) return status
  return queuePosition === 0 ? 'queued, next' : `queued, ${queuePosition} before it`
}
