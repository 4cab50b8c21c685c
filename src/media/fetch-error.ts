/** Why an untrusted URL gave no answer, or not a whole one. */
export type FetchErrorReason =
  /** The URL, or one that it redirects to, is not one that may be called. Nothing was dialled. */
  | 'url_refused'
  /** Its name has addresses, none of which may be dialled. */
  | 'address_refused'
  /** Its name has no address. */
  | 'unresolved'
  /** No connection came about: refused, unreachable, or no answer in time. */
  | 'unreachable'
  /** The certificate or the handshake was not good. */
  | 'tls'
  /** Not done within the total time, or the headers not there within theirs. */
  | 'timeout'
  /** The connection broke. */
  | 'interrupted'
  /** The answer is not HTTP, or its head is too large. */
  | 'bad_answer'
  /** The body is larger than the caller takes. */
  | 'too_large'
  | 'too_many_redirects'
  /** The caller gave up. */
  | 'aborted'

export interface FetchErrorOptions extends ErrorOptions {
  /** `no`: not one byte of the request left this machine. */
  readonly sent?: 'no' | 'maybe'
}

/**
 * The message is one sentence that a customer may read: it names no address that the customer did not send, so nobody
 * can map our network with it. The cause is for our log only.
 */
export class FetchError extends Error {
  override readonly name = 'FetchError'
  readonly reason: FetchErrorReason
  readonly sent: 'no' | 'maybe'

  constructor(reason: FetchErrorReason, message: string, { sent = 'no', ...options }: FetchErrorOptions = {}) {
    super(message, options)
    this.reason = reason
    this.sent = sent
  }
}
