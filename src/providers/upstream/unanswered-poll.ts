import type { PollOutcome } from '../provider.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** It never heard of the job, or says that it has put it away. */
const GONE_STATUSES: readonly number[] = [404, 410]

/**
 * What a poll means that was answered with another status than 200; `undefined` for a 200, which the adapter reads.
 * @throws Error where the answer says nothing of the job: a wrong key, a fault over there, a proxy's page.
 */
export function unansweredPoll(answer: UpstreamAnswer): PollOutcome | undefined {
  const { status, retryAfterMs } = answer
  if (status === 200) return undefined
  if (GONE_STATUSES.includes(status)) return { kind: 'gone' }
  if (status === 429 && retryAfterMs !== undefined) return { kind: 'pending', pollAfterMs: retryAfterMs }
  throw new Error(`The provider answers a poll with ${status}: ${answer.shown}`)
}
