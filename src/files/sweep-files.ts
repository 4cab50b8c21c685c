import type { FilesContext } from './files-context.ts'
import { deleteBlob, deleteForgottenFiles, dropBlobs, postponeBlob, selectDroppedBlobs } from './queries.ts'

/**
 * How long after its end a file's bytes are still there. A request that named the file while it was live may be on its
 * way to becoming a task; that takes a minute at most.
 */
const GRACE_SECONDS = 600

/** No storing of a file takes an hour; one that began earlier was cut off by a crash. */
const STORING_SECONDS = 3_600

/** A store that refuses now may take minutes to mend or somebody's hand; an hour is nothing to bytes that lay for days. */
const RETRY_SECONDS = 3_600

export interface FileSweep extends Pick<FilesContext, 'db' | 'store' | 'log'> {
  /** Blobs, and rows of files, to take on at most; when the answer equals it there may be more. */
  readonly limit: number
}

/**
 * Deletes the bytes that no live file and no unfinished task has, and the rows of files that nobody can ask for any more;
 * returns how many blobs are dealt with, or how many rows where those are more. A blob
 * is dropped first, so that nobody refers to it any more, then its object goes, then its row: killed in between, the next
 * sweep goes on. Two nodes that sweep at once do each other's work twice, without harm, and count it once. An object that
 * cannot be deleted is logged and takes its place in the queue again an hour later: it holds up nothing else.
 */
export async function sweepFiles({ db, store, log, limit }: FileSweep): Promise<number> {
  await dropBlobs(db, { graceSeconds: GRACE_SECONDS, storingSeconds: STORING_SECONDS, limit })
  let done = 0
  for (const { id, storeKey } of await selectDroppedBlobs(db, limit)) {
    try {
      await store.delete(storeKey)
    } catch (error) {
      log.error({ storeKey, err: error }, 'the bytes of an ended file could not be deleted')
      await postponeBlob(db, id, RETRY_SECONDS)
      done += 1
      continue
    }
    if (await deleteBlob(db, id)) done += 1
  }
  return Math.max(done, await deleteForgottenFiles(db, limit))
}
