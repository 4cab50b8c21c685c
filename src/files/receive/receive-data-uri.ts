/**
 * Data URIs, which hold the file itself: `data:image/png;base64,iVBORw0…`. Read as browsers read them (WHATWG Fetch, "data:
 * URL processor"; WHATWG Infra, "forgiving-base64 decode"): base64 may have whitespace in it and lack its padding, and any
 * character may be percent-encoded.
 */
import { DETECTED_HEAD_BYTES, detectType } from '../detect/detect-type.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ReceivedFile } from '../received-file.ts'
import { isDeclaredType } from './declared-type.ts'
import { type ReceiveOptions, receiveFile } from './receive-file.ts'

const ALLOWED = 'data:<media type>;base64,<the file in base64>'

/** What stands before the comma is a media type and its parameters; a longer one is none. */
const MAX_PREFIX_CHARACTERS = 256

/** Four characters are three bytes. */
const CHARACTERS_PER_GROUP = 4

/** Decoded at a time, so that the file is in memory once, as the text that it came in. */
const SLICE_CHARACTERS = 64 * 1024

const BASE64 = /^[A-Za-z0-9+/]*$/

/** A URL's parser takes tabs and line breaks out of it, and these off its ends. */
const TABS_AND_BREAKS = /[\t\n\r]+/g
const WHITESPACE = /[\t\n\f\r ]+/g
const SCHEME = /^[\0- ]*data:/i

const PERCENT = 0x25

interface DataUri {
  /** In lower case, without parameters. */
  readonly declared: string
  readonly isBase64: boolean
  /** Where the data starts and ends: what follows `#` is no part of it. */
  readonly start: number
  readonly end: number
}

/** Whether a URL is a data URI. */
export function isDataUri(url: string): boolean {
  return SCHEME.test(url)
}

/**
 * Receives the file that a data URI holds. It is decoded no further than to where it is refused.
 * @throws FileRefused; also for a declared type that is not what the bytes are.
 */
export async function receiveDataUri(text: string, options: ReceiveOptions): Promise<ReceivedFile> {
  const uri = readPrefix(text)
  const type = detectType(headOf(text, uri))
  if (!isDeclaredType(uri.declared, type.mimeType)) {
    throw new FileRefused('not_allowed', {
      found: `${calledOf(type.mimeType)}, not the declared ${uri.declared}`,
      allowed: 'a data URI that declares what it holds',
    })
  }
  return receiveFile(asAsync(bytesOf(text, uri)), options)
}

function readPrefix(text: string): DataUri {
  const scheme = SCHEME.exec(text)?.[0] ?? ''
  const comma = text.slice(0, scheme.length + MAX_PREFIX_CHARACTERS).indexOf(',', scheme.length)
  if (scheme === '' || comma === -1) throw malformed('a data URI that is malformed')
  const about = text.slice(scheme.length, comma).replaceAll(TABS_AND_BREAKS, '').trim()
  const isBase64 = /; *base64$/i.test(about)
  const declared = (about.split(';')[0] ?? '').trim().toLowerCase()
  const hash = text.indexOf('#', comma)
  // Without a media type it is text.
  return { declared: declared || 'text/plain', isBase64, start: comma + 1, end: hash === -1 ? text.length : hash }
}

/** The bytes by which a file is recognized. */
function headOf(text: string, uri: DataUri): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (const part of bytesOf(text, uri)) {
    parts.push(part)
    length += part.length
    if (length >= DETECTED_HEAD_BYTES) break
  }
  return Buffer.concat(parts).subarray(0, DETECTED_HEAD_BYTES)
}

function* bytesOf(text: string, uri: DataUri): Generator<Buffer> {
  if (uri.isBase64) return yield* decodedBase64(text, uri)
  for (const slice of slicesOf(text, uri)) yield percentDecoded(slice.replaceAll(TABS_AND_BREAKS, ''))
}

/** Node passes over what is no base64, and so would take a damaged file for another. */
function* decodedBase64(text: string, uri: DataUri): Generator<Buffer> {
  let rest = ''
  for (const slice of slicesOf(text, uri)) {
    const plain = slice.includes('%') ? percentDecoded(slice).toString('latin1') : slice
    rest += plain.replaceAll(WHITESPACE, '')
    // The last group may be padded, so it is kept until there is another one behind it.
    const whole = Math.max(0, Math.ceil(rest.length / CHARACTERS_PER_GROUP) - 1) * CHARACTERS_PER_GROUP
    yield groups(rest.slice(0, whole))
    rest = rest.slice(whole)
  }
  const last = rest.length === CHARACTERS_PER_GROUP ? rest.replace(/={1,2}$/, '') : rest
  if (last.length === 1) throw malformed('in base64 that is not whole')
  yield groups(last)
}

function groups(base64: string): Buffer {
  if (!BASE64.test(base64)) throw malformed('not in valid base64')
  return Buffer.from(base64, 'base64')
}

/** The data in slices, none of which ends within a percent-encoded byte or a character of two units. */
function* slicesOf(text: string, { start, end }: DataUri): Generator<string> {
  for (let at = start; at < end; ) {
    let next = Math.min(at + SLICE_CHARACTERS, end)
    const percent = text.slice(next - 2, next).lastIndexOf('%')
    if (percent !== -1) next = Math.min(next + 1 + percent, end)
    if (/[\ud800-\udbff]/.test(text[next - 1] ?? '')) next = Math.min(next + 1, end)
    yield text.slice(at, next)
    at = next
  }
}

/** Each `%` with two hexadecimal digits is the byte that they are; everything else is its UTF-8. */
function percentDecoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const high = byte === PERCENT ? hexDigit(bytes[at + 1]) : undefined
    const low = high === undefined ? undefined : hexDigit(bytes[at + 2])
    const isEncoded = high !== undefined && low !== undefined
    bytes[length++] = isEncoded ? high * 16 + low : byte
    if (isEncoded) at += 2
  }
  return bytes.subarray(0, length)
}

/** The value of a hexadecimal digit in ASCII; `undefined` for any other byte. */
function hexDigit(byte = 0): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lowerCase = byte | 0x20
  return lowerCase >= 0x61 && lowerCase <= 0x66 ? lowerCase - 0x61 + 10 : undefined
}

async function* asAsync(parts: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* parts
}

function malformed(found: string): FileRefused {
  return new FileRefused('broken', { found, allowed: ALLOWED })
}
