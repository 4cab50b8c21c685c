import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sweepStaleFiles } from '../../media/sweep-stale-files.ts'
import { isAbandoned } from './scratch-name.ts'

/**
 * Deletes what processes that died left in the folder of received files, and whatever lay there for more than an hour;
 * tells how many files that were. Others may be receiving into the folder, and sweeping it, at the same time.
 */
export async function sweepAbandonedFiles(directory: string): Promise<number> {
  const abandoned = (await readdir(directory)).filter(isAbandoned)
  for (const name of abandoned) await rm(join(directory, name), { force: true })
  return abandoned.length + (await sweepStaleFiles(directory))
}
