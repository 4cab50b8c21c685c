/**
 * Whether finished videos can be stored: in the store, and on the disk that they pass on their way. While they cannot, no new job
 * is bought, for its video would have no place. It is proved by writing, from time to time, and at once when a video could not be
 * stored; by then as many bytes as that video needs.
 */
import { createHash, randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Store } from '../media/store.ts'

/** Between two proofs while videos can be stored. */
const PROVE_EVERY_MS = 30_000

/** The same while they cannot: how long a store that is back is not noticed. */
const PROVE_AGAIN_EVERY_MS = 5_000

/** A store that has not taken the bytes of a proof by then takes no videos either. */
const PROOF_TIMEOUT_MS = 20_000

/** Bytes that are written to prove that videos can be stored, where none is known to have failed. */
const PROOF_BYTES = 64 * 1024

/** The same after a failure, at least and at most: a clip has some megabytes, and a proof must not fill the disk itself. */
const LEAST_PROOF_BYTES = 1024 * 1024
const MOST_PROOF_BYTES = 256 * 1024 * 1024

const CHUNK_BYTES = 1024 * 1024

export interface StorageWatchOptions {
  readonly store: Pick<Store, 'put' | 'delete'>
  /** Who proves: the worker's id, the same over its restarts. What one that was killed left is overwritten and deleted by the next. */
  readonly worker: string
  /** An existing folder on the disk that videos pass on their way. */
  readonly folder: string
  readonly log: Logger
  /** Told when videos can be stored again. */
  readonly onWritable: () => void
  /** For tests. */
  readonly proofTimeoutMs?: number
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
}

export class StorageWatch {
  readonly #options: StorageWatchOptions
  readonly #now: () => number
  #fault: string | undefined
  #proofBytes = PROOF_BYTES
  #provedAt = Number.NEGATIVE_INFINITY
  #proof: Promise<void> | undefined

  constructor(options: StorageWatchOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Why videos cannot be stored; `undefined`: they can, as far as is known. */
  get fault(): string | undefined {
    return this.#fault
  }

  /** Bytes could not be written, or something in their way failed: it is proved at once whether videos can be stored. */
  suspect(sizeBytes: number): void {
    // The file, its marked copy and the stored one were to be there at once.
    const neededBytes = Math.max(2 * sizeBytes, LEAST_PROOF_BYTES)
    this.#proofBytes = Math.min(Math.max(this.#proofBytes, neededBytes), MOST_PROOF_BYTES)
    void this.#prove()
  }

  /** A proof, where one is due. Never throws. */
  async sweep(): Promise<void> {
    const everyMs = this.#fault === undefined ? PROVE_EVERY_MS : PROVE_AGAIN_EVERY_MS
    if (this.#now() - this.#provedAt >= everyMs) await this.#prove()
  }

  /** One at a time; whoever asks meanwhile waits for the one that is under way. */
  #prove(): Promise<void> {
    this.#proof ??= this.#proveAll().finally(() => {
      this.#proof = undefined
    })
    return this.#proof
  }

  /** Once more where a larger file failed meanwhile. */
  async #proveAll(): Promise<void> {
    let bytes: number
    do {
      bytes = this.#proofBytes
      await this.#proveOnce(bytes)
    } while (this.#fault === undefined && this.#proofBytes > bytes)
    if (this.#fault === undefined) this.#proofBytes = PROOF_BYTES
  }

  async #proveOnce(bytes: number): Promise<void> {
    const { proofTimeoutMs = PROOF_TIMEOUT_MS } = this.#options
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`the store has not taken a file within ${proofTimeoutMs} ms`)
      timer = setTimeout(() => reject(error), proofTimeoutMs)
    })
    try {
      await Promise.race([this.#write(bytes), late])
      this.#proved(undefined)
    } catch (error) {
      this.#proved(error)
    } finally {
      clearTimeout(timer)
      this.#provedAt = this.#now()
    }
  }

  async #write(bytes: number): Promise<void> {
    const { store, folder, log, worker } = this.#options
    const path = join(folder, `proof-${randomUUID()}`)
    const key = `check/${createHash('sha256').update(worker).digest('hex').slice(0, 32)}`
    try {
      await writeZeros(path, bytes)
      await store.put(key, path)
    } finally {
      await rm(path, { force: true }).catch(() => {
        // What failed is told by the error that brought us here; a folder that cannot be written is emptied at the next start.
      })
      await store.delete(key).catch((error: unknown) => log.warn({ err: error, key }, 'a proof was left in the store'))
    }
  }

  #proved(error: unknown): void {
    const { log, onWritable } = this.#options
    const was = this.#fault
    this.#fault = error === undefined ? undefined : error instanceof Error ? error.message : String(error)
    if (this.#fault !== undefined && was === undefined) {
      log.error(
        { err: error },
        'videos cannot be stored: no new jobs are begun until they can; finished ones are kept waiting',
      )
    } else if (this.#fault === undefined && was !== undefined) {
      log.warn('videos can be stored again: new jobs are begun')
      onWritable()
    }
  }
}

async function writeZeros(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx')
  try {
    const chunk = Buffer.alloc(Math.min(bytes, CHUNK_BYTES))
    for (let left = bytes; left > 0; left -= chunk.length) await file.appendFile(chunk.subarray(0, left))
  } finally {
    await file.close()
  }
}
