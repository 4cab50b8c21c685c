import type { Refusal } from '../../canonical/refusal.ts'
import type { ErrorMap, JsonAnswer } from '../dialect.ts'

/**
 * Codes in the vendor's manner. Its clients repeat a request by themselves, twice, after 408, 409, 429 and 5xx: those are
 * for what may go well the next time. So missing credits are not the vendor's 429, nor is a used idempotency key a 409.
 */
const ERRORS: ErrorMap = {
  malformed_body: { status: 400, code: 'invalid_body' },
  body_too_large: { status: 413, code: 'body_too_large' },
  unsupported_media_type: { status: 415, code: 'unsupported_content_type' },
  invalid_field: { status: 400, code: 'invalid_value' },
  unknown_model: { status: 400, code: 'model_not_found' },
  key_missing: { status: 401, code: 'missing_api_key' },
  key_invalid: { status: 401, code: 'invalid_api_key' },
  key_revoked: { status: 401, code: 'invalid_api_key' },
  key_expired: { status: 401, code: 'expired_api_key' },
  scope_denied: { status: 403, code: 'insufficient_permissions' },
  insufficient_credits: { status: 402, code: 'insufficient_quota' },
  rate_limited: { status: 429, code: 'rate_limit_exceeded' },
  moderated: { status: 400, code: 'moderation_blocked' },
  url_rejected: { status: 400, code: 'invalid_value' },
  idempotency_conflict: { status: 400, code: 'idempotency_conflict' },
  task_not_found: { status: 404, code: 'video_not_found' },
  file_not_found: { status: 404, code: 'file_not_found' },
  media_not_found: { status: 404, code: 'content_not_found' },
  route_not_found: { status: 404, code: 'unknown_url' },
  method_not_allowed: { status: 405, code: 'method_not_allowed' },
  // Its video is being delivered; a moment later it can be deleted.
  not_cancelable: { status: 409, code: 'video_not_ready' },
  unavailable: { status: 503, code: 'server_unavailable' },
  internal: { status: 500, code: 'server_error' },
}

export function renderRefusal(refusal: Refusal): JsonAnswer {
  const { status, code } = ERRORS[refusal.code]
  const message =
    refusal.code === 'unsupported_media_type' ? 'The body must be multipart/form-data or JSON.' : refusal.message
  return { status, body: { error: { message, type: typeOf(status), param: refusal.detail?.field ?? null, code } } }
}

/** The vendor's classes of errors. */
function typeOf(status: number): string {
  if (status >= 500) return 'server_error'
  if (status === 402) return 'insufficient_quota'
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error'
}
