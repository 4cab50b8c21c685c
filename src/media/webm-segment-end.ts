/** The Segment element of Matroska: it holds everything but the header (RFC 9559, 5.1). */
const SEGMENT_ID = Buffer.from([0x18, 0x53, 0x80, 0x67])

/**
 * Where a WebM file says that it ends, from its first bytes; `undefined` for one that was written as a live stream and
 * does not say.
 */
export function webmSegmentEnd(head: Buffer): number | undefined {
  const at = head.indexOf(SEGMENT_ID)
  const sizeAt = at + SEGMENT_ID.length
  const first = head[sizeAt]
  if (at === -1 || first === undefined || first === 0) return undefined
  // RFC 8794, 4: the zeros before the first 1 tell how many bytes follow; the bits after it are the number.
  const bytes = Math.clz32(first) - 23
  let size = BigInt(first & (0xff >> bytes))
  for (const byte of head.subarray(sizeAt + 1, sizeAt + bytes)) size = (size << 8n) | BigInt(byte)
  const unknown = (1n << BigInt(7 * bytes)) - 1n
  return size === unknown ? undefined : sizeAt + bytes + Number(size)
}
