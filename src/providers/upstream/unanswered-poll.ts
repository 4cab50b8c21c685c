import { BlamelessError, type PollOutcome } from '../provider.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** It never heard of the job, or says that it has put it away: in JSON, for a page is of the proxy before a server that is down. */
const GONE_STATUSES: readonly number[] = [404, 410]

/**
 * What a poll means that was answered with another status than 200; `undefined` for a 200, which the adapter reads.
 * @throws Error where the answer says nothing of the job: a wrong key, a fault over there, a proxy's page; BlamelessError
 *   where the provider is only busy.
 */
export function unansweredPoll(answer: UpstreamAnswer): PollOutcome | undefined {
  const { status, json, retryAfterMs } = answer
  if (status === 200) return undefined
  if (GONE_STATUSES.includes(status) && json !== undefined) return { kind: 'gone' }
  if (status === 429 && retryAfterMs !== undefined) return { kind: 'busy', pollAfterMs: retryAfterMs }
  const message = `The provider answers a poll with ${status}: ${answer.shown}`
  throw status === 429 ? new BlamelessError(message) : new Error(message)
}
