import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'

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
  // A key of that name would change what an object is instead of what is in it.
  if (text.includes('"__proto__"')) throw new Refusal('malformed_body', 'The body has a key "__proto__".')
  try {
    const parsed: Json = JSON.parse(text)
    return parsed
  } catch (cause) {
    throw new Refusal('malformed_body', `The body is not valid JSON: ${whatIsWrong(cause)}.`, { cause })
  }
}

/** The parser's own words, without the part that quotes the body. */
function whatIsWrong(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : 'it cannot be read'
  return message.split(/, "|\.\.\. /)[0] ?? message
}
