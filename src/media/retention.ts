import type { BaseLogger } from 'pino'
import type { Queryable } from '../db/database.ts'
import { markMediaDeleted, selectExpiredMedia } from './queries.ts'
import type { Store } from './store.ts'

export interface RetentionSweep {
  readonly db: Queryable
  readonly store: Store
  readonly log: Pick<BaseLogger, 'error'>
  /** Files to delete at most; when the answer equals it there may be more. */
  readonly limit: number
}

/**
 * Deletes files whose time is over and returns how many. The file goes first, then the row says so: killed in between,
 * the next sweep deletes a file that is already gone and goes on. Two nodes that sweep at once do each other's work
 * twice, without harm, and count it once. A file that cannot be deleted is logged and left to a later sweep.
 */
export async function sweepExpiredMedia({ db, store, log, limit }: RetentionSweep): Promise<number> {
  let deleted = 0
  for (const { id, storeKey } of await selectExpiredMedia(db, limit)) {
    try {
      await store.delete(storeKey)
    } catch (error) {
      log.error({ mediaId: id, err: error }, 'an expired file could not be deleted')
      continue
    }
    if (await markMediaDeleted(db, id)) deleted += 1
  }
  return deleted
}
