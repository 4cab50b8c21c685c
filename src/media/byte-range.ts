import type { ByteSpan } from './store.ts'

export type RangeVerdict =
  /** Send everything, with 200. */
  | { readonly kind: 'whole' }
  /** Send these bytes, with 206. */
  | { readonly kind: 'part'; readonly span: ByteSpan }
  /** The file has no such bytes: 416. */
  | { readonly kind: 'unsatisfiable' }
  /** Several ranges: 416 as well. */
  | { readonly kind: 'several' }

const SINGLE_RANGE = /^bytes[ \t]*=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i

const RANGE_SET = /^bytes[ \t]*=(.*)$/i

const RANGE_OF_SET = /^(?:\d+-\d*|-\d+)$/

/**
 * Reads a `Range` header for a file of `sizeBytes` (RFC 9110, 14.1–14.2). What is malformed or in another unit is
 * ignored, as the RFC demands. Several ranges are refused (15.5.17 leaves it to the server): players never ask for them,
 * answering with multipart bodies is a known way to make a server work for an attacker, and whoever wants two pieces of
 * a video of gigabytes should not get all of it.
 */
export function readRange(header: string | undefined, sizeBytes: number): RangeVerdict {
  const match = header === undefined ? null : SINGLE_RANGE.exec(header)
  if (match === null) return { kind: isRangeSet(header ?? '') ? 'several' : 'whole' }
  const [, first, last, suffix] = match
  if (first === undefined) return spanOf(Math.max(0, sizeBytes - Number(suffix)), sizeBytes - 1)
  if (last === '' || last === undefined) return spanOf(Number(first), sizeBytes - 1)
  // An end before the start is malformed, and so ignored.
  if (Number(last) < Number(first)) return { kind: 'whole' }
  return spanOf(Number(first), Math.min(Number(last), sizeBytes - 1))
}

/** Whether a header asks for several ranges, all well-formed. Lists may have empty members (RFC 9110, 5.6.1). */
function isRangeSet(header: string): boolean {
  const members = RANGE_SET.exec(header)?.[1]?.split(',') ?? []
  const ranges = members.map((member) => member.trim()).filter((member) => member !== '')
  return ranges.length > 1 && ranges.every((range) => RANGE_OF_SET.test(range))
}

function spanOf(start: number, end: number): RangeVerdict {
  return start <= end ? { kind: 'part', span: { start, end } } : { kind: 'unsatisfiable' }
}
