import { Refusal, type RefusalCode } from '../canonical/refusal.ts'

/**
 * A reference that cannot be used: `<field> <what is wrong>; allowed: <what is>.` The value is not repeated, for it may
 * be megabytes of data URI.
 */
export function refusedReference(about: {
  /** By default `invalid_field`. */
  readonly code?: RefusalCode
  readonly field: string
  readonly wrong: string
  readonly allowed: string
  readonly cause?: unknown
}): Refusal {
  const { code = 'invalid_field', field, wrong, allowed, cause } = about
  return new Refusal(code, `${field} ${wrong}; allowed: ${allowed}.`, { cause, detail: { field, allowed } })
}
