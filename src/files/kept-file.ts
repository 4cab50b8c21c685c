import type { CustomerFile } from '../canonical/customer-file.ts'

/** A file of an account whose bytes are in the store. */
export interface KeptFile extends CustomerFile {
  /** Hex. */
  readonly sha256: string
  readonly storeKey: string
}
