import { z } from 'zod'
import type { Json } from '../canonical/json.ts'
import { type FieldDetail, invalidField, Refusal, refusedTogether } from '../canonical/refusal.ts'

/** What PostgreSQL's `jsonb` and `text` hold, in words. */
export const STORABLE_TEXT = 'a text of valid Unicode without NUL'

/** Whether a text can be stored: PostgreSQL holds neither NUL nor half a surrogate pair, and neither means anything. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Text that can be stored. A body was checked for it when it was parsed; this says so where a schema is read alone. */
export const storableText = z.string().refine(isStorable, { error: STORABLE_TEXT })

/** Fields that one refusal names: as many as are read at once; a body of a thousand wrong ones has one mistake. */
const MAX_NAMED_FIELDS = 8

/**
 * Reads a body or query with its schema. What does not fit is refused with each field that is wrong, up to a bound, the
 * value that was sent and what is allowed there; the detail is that of the first.
 */
export function readInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input, { reportInput: true })
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.flatMap(eachKey)
  const keys = keysOf(schema)
  const named = issues.slice(0, MAX_NAMED_FIELDS).map((issue) => refusalOf(issue, input, keys))
  throw refusedTogether(named, issues.length - named.length)
}

/** Several unknown keys are one issue. */
function eachKey(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'unrecognized_keys') return [issue]
  return issue.keys.map((key) => ({ ...issue, keys: [key] }))
}

/** The documented keys, in words. */
function keysOf(schema: z.ZodType): string {
  return schema instanceof z.ZodObject
    ? `allowed keys: ${Object.keys(schema.shape).join(', ')}`
    : 'only documented keys'
}

function refusalOf(issue: z.core.$ZodIssue, input: unknown, keys: string): Refusal {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const field = path === '' ? key : `${path}.${key}`
    const allowed = path === '' ? keys : 'only documented keys'
    const detail = { field, value: valueAt(input, [...issue.path, key]) ?? null, allowed }
    return new Refusal('invalid_field', `${field} cannot be used: the key is unknown; ${allowed}.`, { detail })
  }
  const value = valueAt(input, issue.path)
  const allowed = allowedBy(issue)
  const detail: FieldDetail =
    value === undefined ? { field: path || 'body', allowed } : { field: path || 'body', value, allowed }
  return invalidField(detail)
}

function valueAt(input: unknown, path: readonly PropertyKey[]): Json | undefined {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, key)?.value
  }
  return value as Json | undefined
}

/** What a schema allows, in words. */
function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return article(issue.expected)
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`
    case 'too_big':
      return issue.origin === 'string' ? `at most ${issue.maximum} characters` : `at most ${issue.maximum}`
    case 'too_small':
      return issue.origin === 'string' ? `at least ${issue.minimum} characters` : `at least ${issue.minimum}`
    default:
      return issue.message
  }
}

function article(type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'a text',
    record: 'an object',
    object: 'an object',
    array: 'a list',
    int: 'a whole number',
  }
  return words[type] ?? `a ${type}`
}
