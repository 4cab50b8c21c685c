import type { RejectionCause, StartOutcome } from '../provider.ts'
import { refusedStart, rejected } from '../upstream/refused-start.ts'
import type { UpstreamAnswer } from '../upstream/upstream.ts'
import { refusal } from './wire.ts'

/** The documented codes by which Rivya surely begins nothing. It has none for a content policy. */
const CODES: Readonly<Record<string, RejectionCause>> = {
  validation_failed: 'request',
  not_found: 'request',
  api_key_missing: 'credentials',
  api_key_invalid: 'credentials',
  api_key_revoked: 'credentials',
  api_key_expired: 'credentials',
  api_scope_denied: 'credentials',
  insufficient_credits: 'credentials',
  rate_limited: 'busy',
}

/** The key was used before, for a request that is still under way or had another body. */
const CONFLICT = 'idempotency_conflict'

/** What a create means that was answered with anything but success. */
export function refusedCreate(answer: UpstreamAnswer): StartOutcome {
  const code = refusal.safeParse(answer.json).data?.error.code
  const cause = `HTTP ${answer.status}: ${answer.shown}`
  // A job of this very key may run. While its create is under way it is asked for again; had that another body, which is
  // so after a restart that lost the link of a picture, no repeat will tell of it.
  if (code === CONFLICT && answer.retryAfterMs === undefined) return { kind: 'ambiguous', cause, isFinal: true }
  if (code === CONFLICT || answer.status === 409) return { kind: 'ambiguous', cause }
  const because = code === undefined ? undefined : CODES[code]
  // `public_api_disabled` comes with 503, which like any 5xx says nothing of whether a job began.
  return because === undefined ? refusedStart(answer) : rejected(because, cause, answer.retryAfterMs)
}
