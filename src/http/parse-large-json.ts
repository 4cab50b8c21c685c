/**
 * Bodies that are large because there are pictures in them, as data URIs. Those are cut out of the bytes, which costs a
 * search for quotation marks; what is left is as small as any other body, and parsed like one. The pictures are decoded in
 * pieces, between which others have their turn. A body of 31 MB at once held up everybody for up to 1.3 s.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { isJsonObject, type Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import { BODY_LIMIT_BYTES, checkTexts, MAX_KEY_CHARACTERS, MAX_TEXTS, parseJson, tooManyValues } from './parse-json.ts'

const QUOTATION_MARK = 0x22
const BACKSLASH = 0x5c
const LETTER_U = 0x75

/** That of a code unit: \u0041. */
const LONGEST_ESCAPE_BYTES = 6

/** Shorter texts are parsed with the rest: it has room for them. */
const MIN_CUT_BYTES = 16 * 1024

/** Decoded at a time: a millisecond or two. */
const PIECE_BYTES = 1024 * 1024

/** In a text of this length no data URI has more: its parameters may be quoted, its data has none. */
const MAX_ESCAPED_QUOTATION_MARKS = 100
const MAX_BACKSLASHES_IN_A_ROW = 100

/** A text in a JSON body that is a data URI, from its first bytes. */
const DATA_URI = /^ *data:/i
const DATA_URI_HEAD_BYTES = 64

/** A mark of the byte order that begins a piece is a character of the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A key in front of the text that it names, as far as any documented key goes. */
const KEY = /"([\w.-]{1,100})"\s{0,20}:\s{0,20}$/
const KEY_BYTES = 150

interface CutBody {
  /** The body with a short text in the place of each data URI. */
  readonly rest: Buffer
  /** Short text → the data URI as it stands in the body, without its quotation marks. */
  readonly uris: ReadonlyMap<string, Buffer>
}

/**
 * Parses a JSON body of any size that a route takes; an empty one is `undefined`.
 * @throws Refusal as `parseJson` does; `body_too_large` where more than other bodies may have stands beside data URIs.
 */
export async function parseLargeJson(body: Buffer): Promise<Json | undefined> {
  if (body.length <= BODY_LIMIT_BYTES) return parseJson(body)
  const { rest, uris } = cutDataUris(body)
  const parsed = parseJson(rest)
  const texts = new Map<string, string>()
  for (const [standIn, uri] of uris) texts.set(standIn, await textOf(uri))
  const whole = putBack(parsed ?? null, texts)
  checkTexts(whole, '')
  return whole
}

function cutDataUris(body: Buffer): CutBody {
  const parts: Buffer[] = []
  const uris = new Map<string, Buffer>()
  // Longer than a key may be: a data URI is none.
  const token = randomUUID().padEnd(MAX_KEY_CHARACTERS, '-')
  let restBytes = 0
  let from = 0
  let texts = 0
  for (let at = 0; ; ) {
    const start = body.indexOf(QUOTATION_MARK, at)
    if (start === -1) break
    if (++texts > MAX_TEXTS) throw tooManyValues()
    if (restBytes + start - from > BODY_LIMIT_BYTES) throw tooLarge()
    const isUri = DATA_URI.test(body.toString('latin1', start + 1, start + 1 + DATA_URI_HEAD_BYTES))
    const end = isUri ? endOfUri(body, start) : endOfText(body, start, BODY_LIMIT_BYTES - restBytes - (start - from))
    if (end === undefined)
      throw tooLongText(KEY.exec(body.toString('latin1', Math.max(0, start - KEY_BYTES), start))?.[1])
    at = end + 1
    if (!isUri || end - start < MIN_CUT_BYTES) continue
    const standIn = `${token}${uris.size}`
    uris.set(standIn, body.subarray(start + 1, end))
    parts.push(body.subarray(from, start + 1), Buffer.from(standIn))
    restBytes += start - from + standIn.length
    from = end
  }
  if (restBytes + body.length - from > BODY_LIMIT_BYTES) throw tooLarge()
  return { rest: Buffer.concat([...parts, body.subarray(from)]), uris }
}

/** The quotation mark that ends a text; `undefined` where it is more than `maxBytes` behind the one that begins it. */
function endOfText(body: Buffer, start: number, maxBytes: number): number | undefined {
  for (let end = start; ; ) {
    end = body.indexOf(QUOTATION_MARK, end + 1)
    if (end === -1 || end - start > maxBytes) return undefined
    if (backslashesBefore(body, end) % 2 === 0) return end
  }
}

function endOfUri(body: Buffer, start: number): number {
  let end = start
  for (let escaped = 0; escaped <= MAX_ESCAPED_QUOTATION_MARKS; escaped += 1) {
    end = body.indexOf(QUOTATION_MARK, end + 1)
    if (end === -1) throw new Refusal('malformed_body', 'The body is not valid JSON: a text has no end.')
    const backslashes = backslashesBefore(body, end)
    if (backslashes > MAX_BACKSLASHES_IN_A_ROW) break
    if (backslashes % 2 === 0) return end
  }
  throw new Refusal('malformed_body', 'The body has a data URI that is full of backslashes.')
}

/** How many stand in a row before a place; counted no further than the largest text that is no data URI. */
function backslashesBefore(body: Buffer, at: number): number {
  let count = 0
  while (count < BODY_LIMIT_BYTES && body[at - 1 - count] === BACKSLASH) count += 1
  return count
}

async function textOf(uri: Buffer): Promise<string> {
  const pieces: string[] = []
  for (let at = 0; at < uri.length; ) {
    const end = pieceEnd(uri, at)
    pieces.push(pieceOf(uri.subarray(at, end)))
    at = end
    await turn()
  }
  return pieces.join('')
}

/** Where a piece may end without taking a character or an escape apart. */
function pieceEnd(uri: Buffer, start: number): number {
  let end = start + PIECE_BYTES
  if (end >= uri.length) return uri.length
  const near = end - LONGEST_ESCAPE_BYTES + 1
  const slash = near + uri.subarray(near, end).lastIndexOf(BACKSLASH)
  if (slash >= near && backslashesBefore(uri, slash + 1) % 2 === 1) {
    const escapeEnd = slash + (uri[slash + 1] === LETTER_U ? LONGEST_ESCAPE_BYTES : 2)
    if (escapeEnd > end) end = slash
  }
  while (end > start + 1 && ((uri[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return Math.max(end, start + 1)
}

function pieceOf(bytes: Buffer): string {
  try {
    // What stands between quotation marks is a text, or it is an error.
    return String(JSON.parse(`"${utf8.decode(bytes)}"`))
  } catch (cause) {
    const wrong = cause instanceof SyntaxError ? 'is not valid JSON: a data URI has a wrong character' : 'is not UTF-8'
    throw new Refusal('malformed_body', `The body ${wrong}.`, { cause })
  }
}

function putBack(value: Json, texts: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return texts.get(value) ?? value
  if (Array.isArray(value)) return value.map((member) => putBack(member, texts))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, putBack(member, texts)]))
}

function tooLongText(key: string | undefined): Refusal {
  if (key === undefined) return tooLarge()
  const allowed = `less than ${BODY_LIMIT_BYTES} bytes beside pictures in data URIs`
  return new Refusal('invalid_field', `${key} is too long; allowed: ${allowed}.`, { detail: { field: key, allowed } })
}

function tooLarge(): Refusal {
  return new Refusal('body_too_large', `The body is too large; allowed: ${BODY_LIMIT_BYTES} bytes beside pictures.`)
}
