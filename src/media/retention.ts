import type { BaseLogger } from 'pino'
import type { Queryable } from '../db/database.ts'
import { discardIngested } from './discard-ingested.ts'
import { markMediaDeleted, postponeMediaDeletion, selectExpiredMedia } from './queries.ts'
import type { Store } from './store.ts'

/** A store that refuses now may take minutes to mend or somebody's hand; an hour is nothing to a file that lay for days. */
const RETRY_SECONDS = 3_600

export interface RetentionSweep {
  readonly db: Queryable
  readonly store: Store
  readonly log: Pick<BaseLogger, 'error'>
  /** Files to take on at most; when the answer equals it there may be more. */
  readonly limit: number
}

/**
 * Deletes files whose time is over and returns how many are dealt with. The file goes first, then the row says so: killed
 * in between, the next sweep deletes a file that is already gone and goes on. Two nodes that sweep at once do each
 * other's work twice, without harm, and count it once. A file that cannot be deleted is logged and takes its place in
 * the queue again an hour later: however many there are of them, they hold up nothing else.
 */
export async function sweepExpiredMedia({ db, store, log, limit }: RetentionSweep): Promise<number> {
  let done = 0
  for (const { id, taskId, storeKey, isLast } of await selectExpiredMedia(db, limit)) {
    try {
      await store.delete(storeKey)
      // With the last of them goes what no row names: left by a worker that lost its lease and then died.
      if (isLast) await discardIngested(store, taskId)
    } catch (error) {
      log.error({ mediaId: id, err: error }, 'an expired file could not be deleted')
      await postponeMediaDeletion(db, id, RETRY_SECONDS)
      done += 1
      continue
    }
    if (await markMediaDeleted(db, id)) done += 1
  }
  return done
}
