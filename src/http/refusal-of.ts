import type { FastifyError } from 'fastify'
import { Refusal, type RefusalCode } from '../canonical/refusal.ts'
import { isDatabaseAway, isDatabaseOutOfOrder } from '../db/database-away.ts'
import { BucketFault } from '../media/bucket-fault.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'

/** A restart of the database takes about this long. */
const DATABASE_RETRY_SECONDS = 2

/** What an operator has to mend (a full disk) is not mended within seconds. */
const OUT_OF_ORDER_RETRY_SECONDS = 30

/** Of a disk: full, over its quota, read-only, or failing. */
const DISK_OUT_OF_ORDER = /^(ENOSPC|EDQUOT|EROFS|EIO)$/

/** Buckets have outages of minutes, and hiccups of seconds. */
const STORE_RETRY_SECONDS = 5

/** What fastify itself refuses, in canonical words; beside a body that is too large. */
const FRAMEWORK_REFUSALS: Readonly<Record<string, readonly [RefusalCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'The body must be JSON: send the header "Content-Type: application/json".',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed_body', 'The body is not as long as its Content-Length says.'],
  FST_ERR_BAD_URL: ['route_not_found', 'The URL is not valid.'],
  FST_ERR_MAX_PARAM_LENGTH: ['route_not_found', 'There is no such path: a part of it is too long.'],
}

/**
 * Whatever was thrown, as a refusal. A fault of ours says nothing about itself to the caller: its cause goes to the log,
 * under the request id that the answer carries. `bodyLimitBytes`: of the route that was asked.
 */
export function refusalOf(error: unknown, bodyLimitBytes = BODY_LIMIT_BYTES): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof BucketFault && error.isAway) {
    return new Refusal('unavailable', 'The media store is unavailable for a moment; try again.', {
      cause: error,
      retryAfterSeconds: STORE_RETRY_SECONDS,
    })
  }
  if (isDatabaseAway(error) || isDiskOutOfOrder(error)) {
    const isOutOfOrder = isDatabaseOutOfOrder(error) || isDiskOutOfOrder(error)
    return new Refusal('unavailable', 'The service is unavailable for a moment; try again.', {
      cause: error,
      retryAfterSeconds: isOutOfOrder ? OUT_OF_ORDER_RETRY_SECONDS : DATABASE_RETRY_SECONDS,
    })
  }
  if (isFastifyError(error) && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `The body is too large; allowed: ${bodyLimitBytes} bytes.`
    return new Refusal('body_too_large', message, { cause: error })
  }
  const known = isFastifyError(error) ? FRAMEWORK_REFUSALS[error.code] : undefined
  if (known !== undefined) return new Refusal(known[0], known[1], { cause: error })
  return new Refusal('internal', 'Something went wrong on our side; it has been logged under the request id.', {
    cause: error,
  })
}

function isDiskOutOfOrder(error: unknown): boolean {
  return error instanceof Error && 'code' in error && DISK_OUT_OF_ORDER.test(String(error.code))
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
