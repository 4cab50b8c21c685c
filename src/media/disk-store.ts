/**
 * Media on a disk, below one folder. A file is copied to `.tmp/` on the same file system, synced, and renamed to its
 * place, whose folder is synced too: after a crash at any moment there is the whole file, or none.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { copyAndHash } from './copy-and-hash.ts'
import { isMissing } from './is-missing.ts'
import { MissingFile } from './missing-file.ts'
import type { ByteSpan, Store, StoredFile } from './store.ts'
import { checkStoreKey } from './store-key.ts'
import { sweepStaleFiles } from './sweep-stale-files.ts'

/** No key can start with a dot, so this never meets a stored file. */
const TEMPORARY_FOLDER = '.tmp'

/**
 * Bytes that a reader holds at a time. A download costs a third of the processor time that it does with Node's 64 KB,
 * and no less with more.
 */
const READ_BYTES = 256 * 1024

/** Tries to move a file into a folder that a concurrent `delete` removes in between; losing twice in a row is rare. */
const MOVE_ATTEMPTS = 10

export class DiskStore implements Store, AsyncDisposable {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /** Opens the store below `root`, making the folder if need be, and clears what a crash left half written. */
  static async open(root: string): Promise<DiskStore> {
    const temporary = join(root, TEMPORARY_FOLDER)
    await mkdir(temporary, { recursive: true })
    await sweepStaleFiles(temporary)
    return new DiskStore(root)
  }

  async put(key: string, sourcePath: string): Promise<StoredFile> {
    const target = this.#pathOf(key)
    const temporary = this.#temporaryPath()
    try {
      const stored = await copyAndHash(sourcePath, temporary)
      await moveIntoPlace(temporary, target)
      await this.#syncFolders(dirname(target)).catch((cause: unknown) => {
        // Whoever deleted the key in this moment took the folder along; there is nothing left to make durable.
        if (!isMissing(cause)) throw cause
      })
      return stored
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async open(key: string, span?: ByteSpan): Promise<Readable> {
    const file = await open(this.#pathOf(key), 'r').catch((cause: unknown) => {
      throw isMissing(cause) ? new MissingFile(key, { cause }) : cause
    })
    // The stream owns the handle from here on and closes it when it ends or is destroyed.
    return file.createReadStream({ highWaterMark: READ_BYTES, ...span })
  }

  async stat(key: string): Promise<{ readonly sizeBytes: number } | undefined> {
    try {
      return { sizeBytes: (await stat(this.#pathOf(key))).size }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#pathOf(key)
    await rm(path, { force: true })
    await this.#removeEmptyFolders(dirname(path))
  }

  async deleteAll(folder: string, { except }: { readonly except?: string } = {}): Promise<void> {
    const path = this.#pathOf(folder)
    const kept = except === undefined ? undefined : this.#pathOf(except)
    await removeBut(path, kept)
    await this.#removeEmptyFolders(dirname(path))
  }

  async check(): Promise<void> {
    const written = randomUUID()
    const key = `check/${written}`
    const source = this.#temporaryPath()
    try {
      await writeFile(source, written)
      await this.put(key, source)
      const read = await buffer(await this.open(key))
      if (read.toString() !== written) throw new Error(`The store in ${this.#root} gives back other bytes than it got.`)
    } finally {
      await rm(source, { force: true })
      await this.delete(key)
    }
  }

  /** A disk has nothing to close. */
  async [Symbol.asyncDispose](): Promise<void> {}

  /** The last file of a folder takes the folder with it, and those above but the topmost; one that still holds something stays. */
  async #removeEmptyFolders(folder: string): Promise<void> {
    try {
      for (let path = folder; dirname(path).length > this.#root.length; path = dirname(path)) await rmdir(path)
    } catch {
      // Not empty, or gone.
    }
  }

  #pathOf(key: string): string {
    checkStoreKey(key)
    return join(this.#root, ...key.split('/'))
  }

  #temporaryPath(): string {
    return join(this.#root, TEMPORARY_FOLDER, randomUUID())
  }

  /** Makes a new name durable: the folder that holds it, and those above, since they may be new as well. */
  async #syncFolders(folder: string): Promise<void> {
    for (let path = folder; path.length >= this.#root.length; path = dirname(path)) {
      const handle = await open(path, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
      if (path === dirname(path)) break
    }
  }
}

/** Times that a folder is emptied into which another process is writing. */
const REMOVE_ATTEMPTS = 3

/** Removes a file or a folder, but for what lies at or below `kept`. */
async function removeBut(path: string, kept: string | undefined): Promise<void> {
  if (path === kept) return
  if (kept === undefined || !kept.startsWith(`${path}${sep}`)) {
    return await rm(path, { recursive: true, force: true, maxRetries: REMOVE_ATTEMPTS })
  }
  for (const name of await namesIn(path)) await removeBut(join(path, name), kept)
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
}

async function moveIntoPlace(temporary: string, target: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Even this one, by itself, fails when the folder disappears under it.
      await mkdir(dirname(target), { recursive: true })
      return await rename(temporary, target)
    } catch (error) {
      if (!isMissing(error) || attempt === MOVE_ATTEMPTS) throw error
    }
  }
}
