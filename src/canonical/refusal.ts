import type { Json } from './json.ts'

/**
 * Every reason for which a request is refused before, or instead of, being carried out. Each dialect maps each code to
 * its own words and HTTP status, and does not compile until it maps them all.
 */
export const REFUSAL_CODES = [
  /** The body is not JSON, or not of the declared type. */
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
  /** A field is missing, unknown, of the wrong type or out of range; `detail` names it. */
  'invalid_field',
  'unknown_model',
  'key_missing',
  'key_invalid',
  'key_revoked',
  'key_expired',
  'scope_denied',
  'insufficient_credits',
  /** Too many requests in this minute; `retryAfterSeconds` says when there is room. */
  'rate_limited',
  /** A content policy refuses the prompt; nothing was created. */
  'moderated',
  /** A URL in the request is not one that we may call. */
  'url_rejected',
  /** The idempotency key was used with another body. */
  'idempotency_conflict',
  /** No such task, or another account's: the two are not told apart. */
  'task_not_found',
  /** No such file of the Files API, or another account's: the two are not told apart. */
  'file_not_found',
  /** The task has no such file: it has not succeeded, or retention has deleted it. */
  'media_not_found',
  'route_not_found',
  'method_not_allowed',
  /** The task has ended, or is too far on, to be canceled. */
  'not_cancelable',
  /** Shutting down, or the database is away: the same request may succeed in a moment. */
  'unavailable',
  /** A fault of ours; its cause is in the log under the request id, never in the answer. */
  'internal',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** What was wrong with one field: enough for a caller to mend the request without reading the documentation. */
export interface FieldDetail {
  /** Path in the caller's own body, e.g. `params.duration`. */
  readonly field: string
  /** What was sent; absent when nothing was. */
  readonly value?: Json
  /** What is allowed, in words, e.g. `one of 480p, 720p`. */
  readonly allowed: string
}

export interface RefusalOptions extends ErrorOptions {
  readonly detail?: FieldDetail
  readonly retryAfterSeconds?: number
}

/** A request that is refused, thrown from wherever that is found out and rendered by the dialect it came in. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly detail: FieldDetail | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: RefusalCode, message: string, options: RefusalOptions = {}) {
    super(message, options)
    this.code = code
    this.detail = options.detail
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/**
 * Several fields that are wrong, in one refusal that says so of each; its detail is that of the first. `more`: how many are
 * wrong beside those. Throws for none.
 */
export function refusedTogether(refusals: readonly Refusal[], more = 0): Refusal {
  const [first] = refusals
  if (first === undefined) throw new Error('nothing is wrong')
  if (refusals.length === 1 && more === 0) return first
  const sentences = refusals.map(({ message }) => message)
  if (more > 0) sentences.push(`${more} more fields are wrong.`)
  const { code, detail } = first
  return new Refusal(code, sentences.join(' '), detail === undefined ? {} : { detail })
}

/** Characters of a sent value that an error repeats; the rest is cut, so that an error stays readable and small. */
const SHOWN_VALUE_CHARACTERS = 80

/** An `invalid_field` refusal whose sentence names the field, the value and what is allowed. */
export function invalidField(detail: FieldDetail): Refusal {
  const sent = detail.value === undefined ? 'is required' : `cannot be ${shownValue(detail.value)}`
  return new Refusal('invalid_field', `${detail.field} ${sent}; allowed: ${detail.allowed}.`, { detail })
}

/** What a quoted text must not do to a terminal or to the line that it stands in; JSON escapes but a part of it. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

function shownValue(value: Json): string {
  // Cut before it is taken apart: a value may be a picture of megabytes. A character has two units at most.
  const text = typeof value === 'string' ? value.slice(0, 2 * SHOWN_VALUE_CHARACTERS) : value
  const quoted = JSON.stringify(text).slice(0, 4 * SHOWN_VALUE_CHARACTERS)
  const characters = Array.from(quoted.replace(UNPRINTABLE, escaped))
  if (characters.length <= SHOWN_VALUE_CHARACTERS) return characters.join('')
  return `${characters.slice(0, SHOWN_VALUE_CHARACTERS).join('')}…`
}

/** As JSON may write it. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
