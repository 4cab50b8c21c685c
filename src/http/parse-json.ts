import { isJsonObject, type Json } from '../canonical/json.ts'
import { invalidField, Refusal } from '../canonical/refusal.ts'
import { isStorable, STORABLE_TEXT } from '../dialects/read-input.ts'

/** The longest prompt of any model is 5,000 characters, 20 KB at most, escaped 60 KB; the rest is generous. */
export const BODY_LIMIT_BYTES = 256 * 1024

/** No dialect nests deeper than five levels; far deeper, whoever walks through a body runs out of stack. */
export const MAX_NESTING = 32

/**
 * Objects, lists and what is in them. The longest documented body has some forty, and a batch a hundred. A schema looks at
 * each, and takes 20 µs for one that is wrong.
 */
export const MAX_VALUES = 1_000

/** A key and a text for each value: what has more is no JSON, and is not looked through to its end. */
export const MAX_TEXTS = 2 * MAX_VALUES

/** The longest documented key has 19 characters; a refusal repeats the key that it does not know. */
export const MAX_KEY_CHARACTERS = 100

/** Refuses bytes that are not UTF-8, instead of putting replacement characters into a prompt. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Parses a JSON body; an empty one is `undefined`. */
export function parseJson(body: Buffer): Json | undefined {
  if (body.length === 0) return undefined
  let text: string
  try {
    text = utf8.decode(body)
  } catch (cause) {
    throw new Refusal('malformed_body', 'The body is not UTF-8.', { cause })
  }
  checkShape(text)
  try {
    const parsed: Json = JSON.parse(text)
    checkMember('', parsed)
    // What cannot be stored is no UTF-8, or no JSON, unless it is escaped; so most bodies need no second walk.
    if (text.includes('\\u')) checkTexts(parsed, '')
    return parsed
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('malformed_body', `The body is not valid JSON: ${whatIsWrong(cause)}.`, { cause })
  }
}

/** Refuses what is JSON, but is not in the parsed body what it was on the wire. */
function checkMember(key: string, value: Json): void {
  if (key === '__proto__') throw new Refusal('malformed_body', 'The body has a key "__proto__", which is not allowed.')
  if (key.length > MAX_KEY_CHARACTERS) {
    throw new Refusal('malformed_body', `The body has a key of more than ${MAX_KEY_CHARACTERS} characters.`)
  }
  if (value === Infinity || value === -Infinity) {
    throw new Refusal('malformed_body', `The number at "${key}" is too large.`)
  }
  // No deeper than `checkShape` has let through.
  if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) checkMember(name, member)
  }
}

/** Refuses texts and keys that the database would: bodies are stored as they came. `path` is empty at the top. */
export function checkTexts(value: Json, path: string): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw invalidField({ field: path === '' ? 'body' : path, value, allowed: STORABLE_TEXT })
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    const field = path === '' ? key : `${path}.${key}`
    if (isJsonObject(value) && !isStorable(key)) {
      throw new Refusal('malformed_body', `The key ${JSON.stringify(field)} cannot be used; allowed: ${STORABLE_TEXT}.`)
    }
    checkTexts(member, field)
  }
}

/**
 * Looks at what is outside of texts, in one pass, before anything is made of it. Lists and objects count as well as what is
 * in them: a hundred thousand lists that hold one another have no comma.
 */
function checkShape(text: string): void {
  let depth = 0
  let values = 0
  let texts = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '"') {
      index = endOfText(text, index)
      if (++texts > MAX_TEXTS) throw tooManyValues()
    } else if (character === ']' || character === '}') depth--
    else if (character === ',' || character === '[' || character === '{') {
      if (character !== ',' && ++depth > MAX_NESTING) {
        throw new Refusal('malformed_body', `The body is nested more than ${MAX_NESTING} levels deep.`)
      }
      if (++values > MAX_VALUES) throw tooManyValues()
    }
  }
}

export function tooManyValues(): Refusal {
  return new Refusal('malformed_body', `The body has more than ${MAX_VALUES} values.`)
}

/** Where the text that begins at `start` ends: at the next quotation mark that is not escaped. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** The parser's own words, without the part that quotes the body. */
function whatIsWrong(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : 'it cannot be read'
  return message.split(/, (?:\.\.\.)?"/)[0] ?? message
}
