/** Data URIs (RFC 2397), which hold the file itself: `data:image/png;base64,iVBORw0…`. */

import { DETECTED_HEAD_BYTES, detectType } from '../detect/detect-type.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import { KIND_LIMITS } from '../kind-limits.ts'
import type { ReceivedFile } from '../received-file.ts'
import { tooLarge } from '../too-large.ts'
import { isDeclaredType } from './declared-type.ts'
import { type ReceiveOptions, receiveFile } from './receive-file.ts'

const ALLOWED = 'data:<media type>;base64,<the file in base64>'

/** What stands before the comma is a media type and its parameters; a longer one is none. */
const MAX_PREFIX_CHARACTERS = 256

/** Four characters are three bytes. */
const CHARACTERS_PER_GROUP = 4
const BYTES_PER_GROUP = 3

/** Decoded at a time, so that the file is in memory once, as the text that it came in. Whole groups. */
const SLICE_CHARACTERS = 64 * 1024

const BASE64 = /^[A-Za-z0-9+/]*$/

interface DataUri {
  /** In lower case, without parameters. */
  readonly declared: string
  /** Where the base64 starts, and how many characters of it there are without the `=` at its end. */
  readonly start: number
  readonly characters: number
}

/**
 * Receives the file that a data URI holds. Its limits are checked before it is decoded.
 * @throws FileRefused; also for a declared type that is not what the bytes are.
 */
export async function receiveDataUri(text: string, options: ReceiveOptions): Promise<ReceivedFile> {
  const uri = readPrefix(text)
  const end = uri.start + Math.min(uri.characters, headCharacters())
  const type = detectType(decode(text, uri.start, end))
  if (!isDeclaredType(uri.declared, type.mimeType)) {
    throw new FileRefused('not_allowed', {
      found: `${calledOf(type.mimeType)}, not the declared ${uri.declared}`,
      allowed: 'a data URI that declares what it holds',
    })
  }
  const sizeBytes = Math.floor((uri.characters * BYTES_PER_GROUP) / CHARACTERS_PER_GROUP)
  if (sizeBytes > KIND_LIMITS[type.kind].maxBytes) throw tooLarge(type.kind)
  return receiveFile(decodeSlices(text, uri), options)
}

function readPrefix(text: string): DataUri {
  const prefix = text.slice(0, MAX_PREFIX_CHARACTERS)
  const comma = prefix.indexOf(',')
  const matched = /^data:([^;,\s]*)(?:;[^;,\s]*)*$/i.exec(prefix.slice(0, Math.max(comma, 0)))
  if (matched === null) throw malformed('a data URI that is malformed')
  if (!/;base64,/i.test(prefix.slice(0, comma + 1))) throw malformed('a data URI without base64')
  const start = comma + 1
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if ((text.length - start) % CHARACTERS_PER_GROUP !== 0) throw malformed('in base64 that is not whole')
  // RFC 2397, 2: without a media type it is text.
  return { declared: (matched[1] || 'text/plain').toLowerCase(), start, characters: text.length - start - padding }
}

/** The base64 of a file's head, in whole groups. */
function headCharacters(): number {
  return Math.ceil(DETECTED_HEAD_BYTES / BYTES_PER_GROUP) * CHARACTERS_PER_GROUP
}

async function* decodeSlices(text: string, { start, characters }: DataUri): AsyncGenerator<Buffer> {
  for (let at = start; at < start + characters; at += SLICE_CHARACTERS) {
    yield decode(text, at, Math.min(at + SLICE_CHARACTERS, start + characters))
  }
}

/** Node passes over what is no base64, and so would take a damaged file for another. */
function decode(text: string, start: number, end: number): Buffer {
  const slice = text.slice(start, end)
  if (!BASE64.test(slice)) throw malformed('not in valid base64')
  return Buffer.from(slice, 'base64')
}

function malformed(found: string): FileRefused {
  return new FileRefused('broken', { found, allowed: ALLOWED })
}
