/** Of a page, up to the table of its segments' lengths. */
const PAGE_HEADER_BYTES = 27
const END_OF_STREAM = 0b100

/** One past the last page of an Ogg file (RFC 3533); infinite where a page, or the page that ends the stream, is missing. */
export function oggEnd(bytes: Buffer): number {
  let at = 0
  let isEnded = false
  while (bytes.toString('latin1', at, at + 4) === 'OggS') {
    const segments = bytes[at + PAGE_HEADER_BYTES - 1]
    if (segments === undefined) return Number.POSITIVE_INFINITY
    isEnded = ((bytes[at + 5] ?? 0) & END_OF_STREAM) !== 0
    const table = bytes.subarray(at + PAGE_HEADER_BYTES, at + PAGE_HEADER_BYTES + segments)
    at += PAGE_HEADER_BYTES + segments + table.reduce((sum, length) => sum + length, 0)
    if (at > bytes.length) return Number.POSITIVE_INFINITY
  }
  return isEnded ? at : Number.POSITIVE_INFINITY
}
