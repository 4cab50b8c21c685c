import { Refusal } from '../canonical/refusal.ts'
import type { WireRequest } from './dialect.ts'

/** Printable ASCII, and no longer than a key that any known client makes. */
export const KEY_FORM = /^[!-~]{1,255}$/
const ALLOWED = '1 to 255 printable ASCII characters without spaces'

/** Reads the `Idempotency-Key` header, which every dialect accepts. */
export function readIdempotencyKey(request: WireRequest): string | undefined {
  const value = request.headers['idempotency-key']
  if (value === undefined) return undefined
  if (typeof value === 'string' && KEY_FORM.test(value)) return value
  const detail = { field: 'Idempotency-Key', value: String(value), allowed: ALLOWED }
  throw new Refusal('invalid_field', `The header Idempotency-Key is not valid; allowed: ${ALLOWED}.`, { detail })
}
