/** What a client already has of a file, against what the file is (RFC 9110, 13). */

/** Identifies one version of a file. */
export interface Validators {
  /** Strong, in quotes. */
  readonly etag: string
  readonly lastModified: Date
}

export interface ConditionalHeaders {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
  readonly 'if-modified-since'?: string | undefined
}

/** Whether the client asks for another version than this, so that 412 it is. Weak tags never match (13.1.1). */
export function isOtherVersion({ 'if-match': tags }: ConditionalHeaders, { etag }: Validators): boolean {
  if (tags === undefined || tags.trim() === '*') return false
  return !tags.split(',').some((tag) => tag.trim() === etag)
}

/** Whether the client's copy is still good, so that 304 will do. */
export function isNotModified(headers: ConditionalHeaders, validators: Validators): boolean {
  const tags = headers['if-none-match']
  if (tags !== undefined) return tags.trim() === '*' || tagsOf(tags).includes(validators.etag)
  // Only heeded without If-None-Match (13.1.3).
  const since = Date.parse(headers['if-modified-since'] ?? '')
  return wholeSeconds(validators.lastModified.getTime()) <= since
}

/**
 * Whether a range may be answered with a part: the client has the rest of this same version. Weak tags never match
 * (13.1.5), and dates only when they are equal.
 */
export function mayAnswerRange(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined) return true
  if (ifRange.startsWith('"') || ifRange.startsWith('W/')) return ifRange.trim() === validators.etag
  return Date.parse(ifRange) === wholeSeconds(validators.lastModified.getTime())
}

/** The tags of a list; a weak one names the same version for this comparison (8.8.3.2). */
function tagsOf(list: string): string[] {
  return list.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
}

/** HTTP dates have whole seconds. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
