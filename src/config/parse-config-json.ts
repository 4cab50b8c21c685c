/**
 * Strict JSON with errors for whoever wrote the file by hand: where it is, and what was expected there. Nothing of the
 * file is repeated, for it may have a secret in it where none belongs. A key that stands twice in one object is an error:
 * which of the two counts would be a guess.
 */
import type { Json } from '../canonical/json.ts'

/** A text that is no JSON; the message says where and why. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
}

/** Deeper nesting than any configuration has would exhaust the stack. */
const MAX_DEPTH = 100

const SPACE = /[ \t\n\r]*/y
/** What is wrong inside of one, `JSON.parse` finds. */
const STRING = /"(?:[^"\\\n]|\\.)*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y
const COMMENT = /\/[/*]|#/y

/** @throws JsonFault */
export function parseConfigJson(text: string): Json {
  let at = 0

  skipSpace()
  if (at === text.length) throw new JsonFault('it is empty; the least that it can be is {}')
  const value = readValue(0)
  skipSpace()
  if (at < text.length) throw fault('the end of the file')
  return value

  function readValue(depth: number): Json {
    if (depth > MAX_DEPTH) throw fault(`no more than ${MAX_DEPTH} levels`)
    skipSpace()
    if (take('{')) return readObject(depth)
    if (take('[')) return readList(depth)
    const text = readText()
    if (text !== undefined) return text
    const scalar = match(NUMBER) ?? match(WORD)
    if (scalar === undefined) throw fault('a value')
    return JSON.parse(scalar)
  }

  function readObject(depth: number): Json {
    const members = new Map<string, Json>()
    if (takeAfterSpace('}')) return {}
    do {
      skipSpace()
      const start = at
      const key = readText()
      if (key === undefined) throw fault('a key in double quotes')
      if (members.has(key))
        throw new JsonFault(`${placeOf(start)}: a key is there twice: ${JSON.stringify(key.slice(0, 60))}`)
      if (!takeAfterSpace(':')) throw fault('":"')
      members.set(key, readValue(depth + 1))
    } while (takeAfterSpace(','))
    if (!takeAfterSpace('}')) throw fault('"," or "}"')
    return Object.fromEntries(members)
  }

  function readList(depth: number): Json {
    const items: Json[] = []
    if (takeAfterSpace(']')) return items
    do items.push(readValue(depth + 1))
    while (takeAfterSpace(','))
    if (!takeAfterSpace(']')) throw fault('"," or "]"')
    return items
  }

  function readText(): string | undefined {
    const start = at
    const quoted = match(STRING)
    try {
      return quoted === undefined ? undefined : JSON.parse(quoted)
    } catch {
      throw new JsonFault(`${placeOf(start)}: the text has an escape or a sign in it that JSON does not have`)
    }
  }

  function skipSpace(): void {
    match(SPACE)
  }

  function takeAfterSpace(sign: string): boolean {
    skipSpace()
    return take(sign)
  }

  function take(sign: string): boolean {
    if (text[at] !== sign) return false
    at += 1
    return true
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }

  function fault(expected: string): JsonFault {
    const place = placeOf(at)
    if (at === text.length) return new JsonFault(`${place}: it ends too early; expected: ${expected}`)
    if (match(COMMENT) !== undefined) return new JsonFault(`${place}: there is a comment, which JSON does not have`)
    return new JsonFault(`${place}: expected: ${expected}`)
  }

  function placeOf(offset: number): string {
    const before = text.slice(0, offset).split('\n')
    return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
  }
}
