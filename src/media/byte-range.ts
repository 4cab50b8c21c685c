import type { ByteSpan } from './store.ts'

export type RangeVerdict =
  /** Send everything, with 200. */
  | { readonly kind: 'whole' }
  /** Send these bytes, with 206. */
  | { readonly kind: 'part'; readonly span: ByteSpan }
  /** The file has no such bytes: 416. */
  | { readonly kind: 'unsatisfiable' }

const SINGLE_RANGE = /^bytes[ \t]*=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

/**
 * Reads a `Range` header for a file of `sizeBytes` (RFC 9110, 14.1–14.2). What is malformed or in another unit is
 * ignored, as the RFC demands. Several ranges are ignored as well, as it allows (14.2): a client that asks for them has to
 * be ready for the whole file, and answers of many parts are a known way to make a server work for an attacker.
 */
export function readRange(header: string | undefined, sizeBytes: number): RangeVerdict {
  const match = header === undefined ? null : SINGLE_RANGE.exec(header)
  if (match === null) return { kind: 'whole' }
  const [, first, last, suffix] = match
  if (first === undefined) return spanOf(Math.max(0, sizeBytes - Number(suffix)), sizeBytes - 1)
  if (last === '' || last === undefined) return spanOf(Number(first), sizeBytes - 1)
  // An end before the start is malformed, and so ignored.
  if (Number(last) < Number(first)) return { kind: 'whole' }
  return spanOf(Number(first), Math.min(Number(last), sizeBytes - 1))
}

function spanOf(start: number, end: number): RangeVerdict {
  return start <= end ? { kind: 'part', span: { start, end } } : { kind: 'unsatisfiable' }
}
