import type { FailureReason } from '../../canonical/failure.ts'
import { type Id, uuidOf } from '../../canonical/ids.ts'
import type { Refusal } from '../../canonical/refusal.ts'
import type { Task } from '../../canonical/task.ts'
import type { ErrorMap, JsonAnswer } from '../dialect.ts'

/** Documented by the vendor, but for `forbidden`, `not_found`, `conflict`, and the statuses 405, 409, 413, 415, 503: ours. */
const ERRORS: ErrorMap = {
  malformed_body: { status: 400, code: 'bad_request' },
  body_too_large: { status: 413, code: 'bad_request' },
  unsupported_media_type: { status: 415, code: 'bad_request' },
  invalid_field: { status: 400, code: 'bad_request' },
  unknown_model: { status: 400, code: 'bad_request' },
  key_missing: { status: 401, code: 'no_token' },
  key_invalid: { status: 401, code: 'invalid_token' },
  key_revoked: { status: 401, code: 'invalid_token' },
  key_expired: { status: 401, code: 'token_expired' },
  scope_denied: { status: 403, code: 'forbidden' },
  insufficient_credits: { status: 403, code: 'used_up' },
  rate_limited: { status: 429, code: 'too_many_requests' },
  moderated: { status: 403, code: 'forbidden' },
  url_rejected: { status: 400, code: 'bad_request' },
  idempotency_conflict: { status: 409, code: 'conflict' },
  task_not_found: { status: 404, code: 'not_found' },
  file_not_found: { status: 404, code: 'not_found' },
  media_not_found: { status: 404, code: 'not_found' },
  route_not_found: { status: 404, code: 'not_found' },
  method_not_allowed: { status: 405, code: 'api_not_implemented' },
  not_cancelable: { status: 409, code: 'conflict' },
  unavailable: { status: 503, code: 'api_error' },
  internal: { status: 500, code: 'api_error' },
}

export function renderRefusal(refusal: Refusal, { requestId }: { readonly requestId: Id<'req'> }): JsonAnswer {
  const { status, code } = ERRORS[refusal.code]
  const error = { code, message: refusal.message }
  return { status, body: { success: false, error, trace_id: uuidOf(requestId) } }
}

/** How a task ended without a video. Which code is for which reason is ours. */
export interface TaskError {
  /** HTTP, for an answer that has not begun when the task ends. */
  readonly status: number
  readonly code: string
  readonly message: string
}

const FAILURES: Readonly<Record<FailureReason, { readonly status: number; readonly code: string }>> = {
  moderated: { status: 403, code: 'forbidden' },
  unsupported_input: { status: 400, code: 'bad_request' },
  generation_failed: { status: 500, code: 'api_error' },
  provider_unavailable: { status: 500, code: 'api_error' },
  internal: { status: 500, code: 'api_error' },
}

export function errorOf({ state, failure }: Task): TaskError | undefined {
  if (failure !== undefined) return { ...FAILURES[failure.reason], message: failure.message }
  if (state === 'expired') {
    const message = 'The generation took too long and was given up; its credits were returned.'
    return { status: 500, code: 'api_error', message }
  }
  if (state === 'canceled') return { status: 409, code: 'conflict', message: 'The generation was canceled.' }
  return undefined
}
