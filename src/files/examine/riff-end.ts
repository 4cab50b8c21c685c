/** `RIFF`, a length, and the form: `WEBP` or `WAVE`. */
const RIFF_HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 8

/** What writes to a pipe cannot go back to fill in the length. */
const UNKNOWN_LENGTH = 0xffff_ffff

/** One past the last byte of a RIFF file (WebP, WAV); infinite where it is cut short, or its chunks do not fit in it. */
export function riffEnd(bytes: Buffer): number {
  if (bytes.length < RIFF_HEADER_BYTES) return Number.POSITIVE_INFINITY
  const length = bytes.readUInt32LE(4)
  if (length === UNKNOWN_LENGTH) return bytes.length
  const end = CHUNK_HEADER_BYTES + length
  if (end > bytes.length) return Number.POSITIVE_INFINITY
  let at = RIFF_HEADER_BYTES
  while (at + CHUNK_HEADER_BYTES <= end) {
    const size = bytes.readUInt32LE(at + 4)
    at += CHUNK_HEADER_BYTES + size
    if (at > end) return Number.POSITIVE_INFINITY
    // Each chunk starts at an even byte.
    at += size % 2
  }
  return Math.min(Math.max(end, at), bytes.length)
}
