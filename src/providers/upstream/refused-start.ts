import type { StartOutcome } from '../provider.ts'
import type { CreateCall, UpstreamAnswer } from './upstream.ts'

type Rejected = Extract<StartOutcome, { kind: 'rejected' }>

/**
 * What a create that was not accepted means for money, by the statuses that are the same everywhere; the adapter reads
 * those answers first in which its vendor says more. A 5xx, like a time-out, says nothing of whether a job began; a 409
 * may be the answer to a repeated key whose first request is still under way.
 */
export function refusedStart(answer: UpstreamAnswer): StartOutcome {
  const cause = `HTTP ${answer.status}: ${answer.shown}`
  switch (answer.status) {
    case 429:
      return rejected('busy', cause, answer.retryAfterMs)
    case 401:
    case 402:
    case 403:
      return rejected('credentials', cause)
    case 404:
    case 405:
    case 410:
      // A page is of the proxy before a server that is down.
      return answer.json === undefined ? { kind: 'undelivered', cause } : rejected('request', cause)
    case 400:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
      return rejected('request', cause)
    default:
      return { kind: 'ambiguous', cause }
  }
}

/** A rejection in the customer's words: none of the upstream's own. */
export function rejected(because: Rejected['because'], cause: string, retryAfterMs?: number): Rejected {
  const outcome = { kind: 'rejected', because, failure: FAILURES[because], cause } as const
  return retryAfterMs === undefined ? outcome : { ...outcome, retryAfterMs }
}

/** A create that got no answer. */
export function unanswered(call: Exclude<CreateCall, { kind: 'answered' }>): StartOutcome {
  return call
}

const FAILURES: Readonly<Record<Rejected['because'], Rejected['failure']>> = {
  request: { reason: 'unsupported_input', message: 'The provider cannot make this video.' },
  policy: { reason: 'moderated', message: 'The content policy refused this request.' },
  busy: { reason: 'provider_unavailable', message: 'The provider has no room at the moment.' },
  configuration: { reason: 'provider_unavailable', message: 'The provider is not available.' },
  credentials: { reason: 'provider_unavailable', message: 'The provider is not available.' },
}
