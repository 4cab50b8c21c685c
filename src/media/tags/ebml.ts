/** EBML (RFC 8794), in which WebM is written: elements of an id, a size and content, which may be elements again. */

/** Ids have up to 4 bytes, sizes up to 8. */
export const MAX_HEADER_BYTES = 12

const MAX_ID_BYTES = 4
const MAX_SIZE_BYTES = 8

export interface ElementHeader {
  readonly id: number
  readonly headerBytes: number
  /** Of the content; `undefined` where it was not known when the element was begun. */
  readonly size: number | undefined
}

/** Reads the header at the front of `bytes`; `undefined` where there is none. */
export function readHeader(bytes: Buffer): ElementHeader | undefined {
  const idBytes = lengthAt(bytes, 0)
  if (idBytes > MAX_ID_BYTES || idBytes > bytes.length) return undefined
  const sizeBytes = lengthAt(bytes, idBytes)
  const headerBytes = idBytes + sizeBytes
  if (sizeBytes > MAX_SIZE_BYTES || headerBytes > bytes.length) return undefined
  const id = bytes.readUIntBE(0, idBytes)
  let size = BigInt((bytes[idBytes] ?? 0) & (0xff >> sizeBytes))
  for (const byte of bytes.subarray(idBytes + 1, headerBytes)) size = (size << 8n) | BigInt(byte)
  const unknown = (1n << BigInt(7 * sizeBytes)) - 1n
  return { id, headerBytes, size: size === unknown ? undefined : Number(size) }
}

/** The zeros before the first 1 tell how many bytes more there are. 9 for none. */
function lengthAt(bytes: Buffer, at: number): number {
  return Math.clz32(bytes[at] ?? 0) - 23
}

export interface Element {
  readonly id: number
  /** Views: what is written into them is written into the element. */
  readonly content: Buffer
  readonly whole: Buffer
}

/** The elements in a content that is held in memory; stops at the first that does not fit. */
export function* elementsIn(content: Buffer): Generator<Element> {
  for (let at = 0; at < content.length; ) {
    const header = readHeader(content.subarray(at, at + MAX_HEADER_BYTES))
    if (header?.size === undefined) return
    const start = at + header.headerBytes
    const end = start + header.size
    if (end > content.length) return
    yield { id: header.id, content: content.subarray(start, end), whole: content.subarray(at, end) }
    at = end
  }
}

const VOID_ID = 0xec

/** The largest size that one byte says; the next longer form is of 8, in which any fits. */
const MAX_SHORT_SIZE = 126

/** The header of an element of `bytes` bytes, at least 2, that holds nothing and is passed over. */
export function voidHeader(bytes: number): Buffer {
  if (bytes - 2 <= MAX_SHORT_SIZE) return Buffer.from([VOID_ID, 0x80 | (bytes - 2)])
  const header = Buffer.alloc(9)
  header.writeBigUInt64BE((1n << 56n) | BigInt(bytes - header.length), 1)
  header[0] = VOID_ID
  return header
}

/** Makes an element in memory one that holds nothing. */
export function makeVoid({ whole }: Pick<Element, 'whole'>): void {
  whole.fill(0)
  voidHeader(whole.length).copy(whole)
}
