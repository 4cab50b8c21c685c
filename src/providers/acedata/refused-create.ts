import type { RejectionCause, StartOutcome } from '../provider.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { refusal } from './wire.ts'

/** The documented codes, and `forbidden`, by which a Reelay that speaks this API tells of its content policy. */
const CODES: Readonly<Record<string, RejectionCause>> = {
  bad_request: 'request',
  api_not_implemented: 'request',
  token_mismatched: 'credentials',
  invalid_token: 'credentials',
  token_expired: 'credentials',
  no_token: 'credentials',
  used_up: 'credentials',
  forbidden: 'policy',
  too_many_requests: 'busy',
}

/** What a create means that gave no id. The code outranks the status, which may be 200. */
export function refusedCreate(answer: UpstreamAnswer): StartOutcome {
  const code = refusal.safeParse(answer.json).data?.error.code
  const because = code === undefined || answer.status >= 500 ? undefined : CODES[code]
  if (because === undefined) return refusedStart(answer)
  return rejected(because, `HTTP ${answer.status}: ${answer.shown}`, answer.retryAfterMs)
}
