import type { Upstream, UpstreamAnswer, UpstreamCall } from '../upstream/upstream.ts'
import { type FinishedPrompt, history, queue } from './wire.ts'

/** The queue is answered with the whole graph of each prompt in it. */
const MAX_QUEUE_BYTES = 64 * 1024 * 1024

export interface FindPrompt extends Pick<UpstreamCall, 'credential' | 'signal'> {
  readonly upstream: Upstream
  readonly id: string
}

/** Where a prompt is. `refused`: the server did not say. */
export type FoundPrompt =
  | { readonly kind: 'finished'; readonly finished: FinishedPrompt }
  | { readonly kind: 'running' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'refused'; readonly answer: UpstreamAnswer }

/**
 * Looks for a prompt by its id. It goes from the queue to the history in one step, which may fall between our two looks:
 * what was in neither is looked for in the history once more. Both are in the server's memory, gone with a restart.
 * @throws FetchError where there is no answer, Error where it is none of ComfyUI's.
 */
export async function findPrompt(find: FindPrompt): Promise<FoundPrompt> {
  const before = await inHistory(find)
  if (before.kind !== 'nowhere') return before
  const queued = await inQueue(find)
  return queued.kind === 'nowhere' ? await inHistory(find) : queued
}

export async function inQueue({ upstream, id, credential, signal }: FindPrompt): Promise<FoundPrompt> {
  const answer = await upstream.read({ method: 'GET', path: '/queue', credential, signal, maxBytes: MAX_QUEUE_BYTES })
  if (answer.status !== 200) return { kind: 'refused', answer }
  const parsed = queue.safeParse(answer.json)
  if (!parsed.success) throw new Error('The provider answers with something that is no queue.')
  const { queue_running: running, queue_pending: pending } = parsed.data
  if (running.some(([, each]) => each === id)) return { kind: 'running' }
  return pending.some(([, each]) => each === id) ? { kind: 'waiting' } : { kind: 'nowhere' }
}

async function inHistory({ upstream, id, credential, signal }: FindPrompt): Promise<FoundPrompt> {
  const path = `/history/${encodeURIComponent(id)}`
  const answer = await upstream.read({ method: 'GET', path, credential, signal })
  if (answer.status !== 200) return { kind: 'refused', answer }
  const parsed = history.safeParse(answer.json)
  if (!parsed.success) throw new Error('The provider answers with something that is no history.')
  const finished = parsed.data[id]
  return finished === undefined ? { kind: 'nowhere' } : { kind: 'finished', finished }
}
