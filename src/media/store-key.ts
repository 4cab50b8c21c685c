/**
 * Each segment starts with a letter or a digit, so `.`, `..`, an empty segment, an absolute path and a hidden folder
 * are all impossible; a backslash, a colon or a NUL is no character of a key.
 */
const KEY = /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/

/** Characters of a key. S3 allows 1,024 bytes; a path on Linux 4,096, of which the store's own folder takes a part. */
const MAX_KEY_CHARACTERS = 512

/** Throws unless the key is one that every store can hold and none can be led astray by. */
export function checkStoreKey(key: string): void {
  if (key.length <= MAX_KEY_CHARACTERS && KEY.test(key)) return
  throw new Error(`${JSON.stringify(key.slice(0, MAX_KEY_CHARACTERS))} cannot be the key of a stored file.`)
}
