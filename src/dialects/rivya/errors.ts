import type { Id } from '../../canonical/ids.ts'
import type { Refusal } from '../../canonical/refusal.ts'
import type { ErrorMap, JsonAnswer } from '../dialect.ts'

/** The vendor's documented codes; where it names no HTTP status, or no code at all, the choice is ours. */
const ERRORS: ErrorMap = {
  malformed_body: { status: 400, code: 'validation_failed' },
  body_too_large: { status: 413, code: 'validation_failed' },
  unsupported_media_type: { status: 415, code: 'validation_failed' },
  invalid_field: { status: 400, code: 'validation_failed' },
  unknown_model: { status: 400, code: 'validation_failed' },
  key_missing: { status: 401, code: 'api_key_missing' },
  key_invalid: { status: 401, code: 'api_key_invalid' },
  key_revoked: { status: 401, code: 'api_key_revoked' },
  key_expired: { status: 401, code: 'api_key_expired' },
  scope_denied: { status: 403, code: 'api_scope_denied' },
  insufficient_credits: { status: 402, code: 'insufficient_credits' },
  rate_limited: { status: 429, code: 'rate_limited' },
  moderated: { status: 400, code: 'validation_failed' },
  url_rejected: { status: 400, code: 'validation_failed' },
  idempotency_conflict: { status: 409, code: 'idempotency_conflict' },
  task_not_found: { status: 404, code: 'not_found' },
  file_not_found: { status: 404, code: 'not_found' },
  media_not_found: { status: 404, code: 'not_found' },
  route_not_found: { status: 404, code: 'not_found' },
  method_not_allowed: { status: 405, code: 'not_found' },
  not_cancelable: { status: 409, code: 'validation_failed' },
  unavailable: { status: 503, code: 'public_api_disabled' },
  internal: { status: 500, code: 'internal_error' },
}

export function renderRefusal(refusal: Refusal, { requestId }: { readonly requestId: Id<'req'> }): JsonAnswer {
  const { status, code } = ERRORS[refusal.code]
  return { status, body: { error: { code, message: refusal.message, requestId } } }
}
