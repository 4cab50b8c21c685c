import type { Refusal } from '../../canonical/refusal.ts'
import type { ErrorMap, JsonAnswer } from '../dialect.ts'

/**
 * The vendor documents the statuses, of the codes only `invalid-argument`; the others are the names of the gRPC codes that
 * it is one of. A wrong key is a bad argument there, and only a missing one is 401.
 *
 * 429 and 5xx are for what will pass, and nothing else, and 409 for nothing: the vendor's npm client answers each of them
 * with the whole job again.
 */
const ERRORS: ErrorMap = {
  malformed_body: { status: 400, code: 'invalid-argument' },
  body_too_large: { status: 413, code: 'invalid-argument' },
  unsupported_media_type: { status: 415, code: 'invalid-argument' },
  invalid_field: { status: 400, code: 'invalid-argument' },
  unknown_model: { status: 404, code: 'not-found' },
  key_missing: { status: 401, code: 'unauthenticated' },
  key_invalid: { status: 400, code: 'invalid-argument' },
  key_revoked: { status: 400, code: 'invalid-argument' },
  key_expired: { status: 400, code: 'invalid-argument' },
  scope_denied: { status: 403, code: 'permission-denied' },
  insufficient_credits: { status: 403, code: 'permission-denied' },
  rate_limited: { status: 429, code: 'resource-exhausted' },
  moderated: { status: 400, code: 'invalid-argument' },
  url_rejected: { status: 400, code: 'invalid-argument' },
  idempotency_conflict: { status: 400, code: 'already-exists' },
  task_not_found: { status: 404, code: 'not-found' },
  file_not_found: { status: 404, code: 'not-found' },
  media_not_found: { status: 404, code: 'not-found' },
  route_not_found: { status: 404, code: 'not-found' },
  method_not_allowed: { status: 405, code: 'unimplemented' },
  not_cancelable: { status: 400, code: 'failed-precondition' },
  unavailable: { status: 503, code: 'unavailable' },
  internal: { status: 500, code: 'internal' },
}

export function renderRefusal(refusal: Refusal): JsonAnswer {
  const { status, code } = ERRORS[refusal.code]
  return { status, body: { code, error: refusal.message } }
}
