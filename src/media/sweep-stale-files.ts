import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './is-missing.ts'

/** No copy and no check of a file takes an hour; what is older was left by a process that died. */
const STALE_AFTER_MS = 3_600_000

/**
 * Deletes what has lain in a folder of temporary files for more than an hour, and tells how many entries that were.
 * Other processes may be using the folder, and sweeping it, at the same time.
 */
export async function sweepStaleFiles(directory: string, nowMs: number = Date.now()): Promise<number> {
  let swept = 0
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    try {
      if (nowMs - (await stat(path)).mtimeMs <= STALE_AFTER_MS) continue
      await rm(path, { recursive: true, force: true })
      swept += 1
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return swept
}
