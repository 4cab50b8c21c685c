/**
 * The contract between Reelay and the place where its files lie: a disk, or a bucket. Every store passes the same test
 * suite, `test/support/describe-store.ts`.
 *
 * A file appears under its key whole or not at all, and is on stable storage when `put` answers. Files are never
 * changed; putting a key again replaces the file, so a step that runs twice leaves what it leaves when it runs once.
 */
import type { Readable } from 'node:stream'

/** Bytes of a file to read: both ends inclusive and within the file, as in an HTTP range. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/** What a store has just written. */
export interface StoredFile {
  readonly sizeBytes: number
  /** SHA-256 of the bytes, 32 long. */
  readonly sha256: Buffer
}

export interface Store {
  /** Copies the file at `sourcePath` to `key` and makes it durable. Memory does not grow with the file. */
  put(key: string, sourcePath: string): Promise<StoredFile>
  /** The bytes of a file, or of one span of it. Throws `MissingFile` before the first byte if there is none. */
  open(key: string, span?: ByteSpan): Promise<Readable>
  /** `undefined` when there is no such file. */
  stat(key: string): Promise<{ readonly sizeBytes: number } | undefined>
  /** Deletes a file; one that is not there is already deleted. */
  delete(key: string): Promise<void>
  /** Deletes every file whose key begins with `folder` and a slash, but for those of the folder `except`. */
  deleteAll(folder: string, options?: { readonly except?: string }): Promise<void>
  /** Writes, reads and deletes a small file; throws what went wrong. For readiness and `reelay doctor`. */
  check(): Promise<void>
}
