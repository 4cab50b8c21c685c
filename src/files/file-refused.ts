/** A customer's file that is not taken. `found` and `allowed` are for the customer: what it is, and what it may be. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
  readonly found: string
  readonly allowed: string
  /** `too_large` where only its size was wrong; `no_room` where nothing was, but that its owner stores too much already. */
  readonly reason: 'not_allowed' | 'too_large' | 'broken' | 'no_room'

  constructor(
    reason: FileRefused['reason'],
    about: { readonly found: string; readonly allowed: string },
    options: ErrorOptions = {},
  ) {
    super(`The file is ${about.found}; allowed: ${about.allowed}.`, options)
    this.reason = reason
    this.found = about.found
    this.allowed = about.allowed
  }
}
