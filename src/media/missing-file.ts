/** A store was asked for a file that it does not have. */
export class MissingFile extends Error {
  override readonly name = 'MissingFile'
  readonly key: string

  constructor(key: string, options?: ErrorOptions) {
    super(`The store has no file ${key}.`, options)
    this.key = key
  }
}
