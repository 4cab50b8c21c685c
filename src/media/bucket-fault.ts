/** Characters of what a service says that are kept: a sentence, and no page. */
const MAX_MESSAGE_CHARACTERS = 300

/**
 * A bucket did not do what was asked of it. The message says what, and the service's own words for why.
 *
 * It has no `cause`, on purpose: the SDK's errors hold the request, whose headers carry the session token, and what was
 * signed. This may be logged.
 */
export class BucketFault extends Error {
  override readonly name = 'BucketFault'
  /** The service's code, e.g. `NoSuchBucket`, or the system's, e.g. `ECONNREFUSED`. */
  readonly code: string
  /** The status of HTTP; `undefined` when there was no answer. */
  readonly status: number | undefined

  /** Whether the bucket is away for now, so that the same request may pass in a moment: no answer, or one that says so. */
  get isAway(): boolean {
    return this.status === undefined || this.status === 429 || this.status >= 500
  }

  /** @param failed what failed, as the start of a sentence, e.g. `Reading a/b from the bucket media`. */
  constructor(failed: string, error: unknown) {
    const code = codeOf(error)
    const status = statusOf(error)
    const reason = error instanceof Error ? error.message.slice(0, MAX_MESSAGE_CHARACTERS) : ''
    super(`${failed} failed${status === undefined ? '' : ` with status ${status}`}: ${[code, reason].join(' ').trim()}`)
    this.code = code
    this.status = status
  }
}

/** Errors of the SDK are named after the service's code; those of the system have their own. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
