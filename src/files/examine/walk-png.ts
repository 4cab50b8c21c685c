import { FileRefused } from '../file-refused.ts'

const SIGNATURE_BYTES = 8
/** Length and type in front of the content of a chunk, and a checksum behind it. */
const CHUNK_HEADER_BYTES = 8
const CHECKSUM_BYTES = 4

/** What the pixels are made from. */
const PIXEL_CHUNKS = ['IHDR', 'PLTE', 'IDAT', 'IEND']

/**
 * Texts and colour profiles, packed: a decoder unpacks each, whatever it comes to. Fifty of 50 KB, 50 MB unpacked, kept one
 * busy for 12 s (libvips 8.18), and a file of the largest size has room for eight times as many.
 */
const UNREAD_CHUNKS = ['tEXt', 'zTXt', 'iTXt', 'iCCP']

/**
 * The largest file in pieces of 1 KB; programs write pieces of 8 KB and more. The largest in empty ones held up everybody
 * for 1.7 s.
 */
const MAX_CHUNKS = 20_000

export interface WalkedPng {
  /** One past the last byte of the picture; infinite where it is cut short. */
  readonly end: number
  /** APNG: a chunk says that there are further pictures. */
  readonly isAnimated: boolean
  /** The file without its texts and profile: what to read its description from. */
  readonly described: Buffer
  /** The pixels alone: what to decode. A wrong checksum of anything else is no damage. */
  readonly picture: Buffer
}

/**
 * Walks over the chunks of a PNG (ISO 15948, 5.3).
 * @throws FileRefused for one made to waste time.
 */
export function walkPng(bytes: Buffer): WalkedPng {
  let isAnimated = false
  const described = [bytes.subarray(0, SIGNATURE_BYTES)]
  const picture = [bytes.subarray(0, SIGNATURE_BYTES)]
  let chunks = 0
  for (let at = SIGNATURE_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
    if (++chunks > MAX_CHUNKS) throw tooManyChunks()
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (type === 'acTL') isAnimated = true
    const start = at
    at += CHUNK_HEADER_BYTES + bytes.readUInt32BE(at) + CHECKSUM_BYTES
    if (!UNREAD_CHUNKS.includes(type)) described.push(bytes.subarray(start, at))
    if (PIXEL_CHUNKS.includes(type)) picture.push(bytes.subarray(start, at))
    if (type !== 'IEND') continue
    return { end: at, isAnimated, described: Buffer.concat(described), picture: Buffer.concat(picture) }
  }
  return { end: Number.POSITIVE_INFINITY, isAnimated, described: bytes, picture: bytes }
}

function tooManyChunks(): FileRefused {
  return new FileRefused('broken', {
    found: `a PNG image of more than ${MAX_CHUNKS} chunks`,
    allowed: `at most ${MAX_CHUNKS} chunks`,
  })
}
