import type { Failure, FailureReason } from '../../canonical/failure.ts'
import type { Refusal } from '../../canonical/refusal.ts'
import type { Task } from '../../canonical/task.ts'
import type { ErrorMap, JsonAnswer } from '../dialect.ts'

/** The vendor documents 400, 401, 429 and 500, and of the words INVALID_REQUEST alone; the others are ours. */
const ERRORS: ErrorMap = {
  malformed_body: { status: 400, code: 'INVALID_REQUEST' },
  body_too_large: { status: 413, code: 'INVALID_REQUEST' },
  unsupported_media_type: { status: 415, code: 'INVALID_REQUEST' },
  invalid_field: { status: 400, code: 'INVALID_REQUEST' },
  unknown_model: { status: 400, code: 'INVALID_REQUEST' },
  key_missing: { status: 401, code: 'UNAUTHORIZED' },
  key_invalid: { status: 401, code: 'UNAUTHORIZED' },
  key_revoked: { status: 401, code: 'UNAUTHORIZED' },
  key_expired: { status: 401, code: 'UNAUTHORIZED' },
  scope_denied: { status: 403, code: 'FORBIDDEN' },
  insufficient_credits: { status: 402, code: 'INSUFFICIENT_CREDITS' },
  rate_limited: { status: 429, code: 'RATE_LIMITED' },
  moderated: { status: 400, code: 'INVALID_REQUEST' },
  url_rejected: { status: 400, code: 'INVALID_REQUEST' },
  idempotency_conflict: { status: 409, code: 'CONFLICT' },
  task_not_found: { status: 404, code: 'NOT_FOUND' },
  file_not_found: { status: 404, code: 'NOT_FOUND' },
  media_not_found: { status: 404, code: 'NOT_FOUND' },
  route_not_found: { status: 404, code: 'NOT_FOUND' },
  method_not_allowed: { status: 405, code: 'INVALID_REQUEST' },
  not_cancelable: { status: 409, code: 'CONFLICT' },
  unavailable: { status: 503, code: 'INTERNAL_ERROR' },
  internal: { status: 500, code: 'INTERNAL_ERROR' },
}

export function renderRefusal(refusal: Refusal): JsonAnswer {
  const { status, code } = ERRORS[refusal.code]
  const message = code === 'INVALID_REQUEST' ? `Invalid request: ${sentenceOf(refusal)}` : refusal.message
  return { status, body: { code: status, message, error: code } }
}

/** In the style of the one documented message: "The prompt parameter is required", without a full stop. */
function sentenceOf({ message, detail }: Refusal): string {
  if (detail === undefined) return withoutFullStop(message)
  const { field } = detail
  if (message.startsWith(`${field} is required`)) return `The ${field} parameter is required`
  if (!message.startsWith(`${field} `)) return withoutFullStop(message)
  return withoutFullStop(`The ${field} parameter${message.slice(field.length)}`)
}

function withoutFullStop(sentence: string): string {
  return sentence.replace(/\.$/, '')
}

/** The four documented messages; which one is for which reason is ours. */
const FAILURE_MESSAGES: Readonly<Record<FailureReason, string>> = {
  moderated: 'Inappropriate content, please try another prompt.',
  unsupported_input: 'File type not supported',
  generation_failed: 'grok imagine build failed',
  provider_unavailable: 'Network error, please try again later.',
  internal: 'Network error, please try again later.',
}

/** How a task failed, or `null`. One that ran out of time may well succeed when it is tried again. */
export function errorMessageOf({
  state,
  failure,
}: {
  state: Task['state']
  failure: Failure | undefined
}): string | null {
  if (failure !== undefined) return FAILURE_MESSAGES[failure.reason]
  if (state === 'expired') return FAILURE_MESSAGES.provider_unavailable
  return state === 'canceled' ? FAILURE_MESSAGES.generation_failed : null
}
