import type { TaskId } from '../canonical/ids.ts'
import { leaseFolder, taskFolder } from './media-keys.ts'
import type { Store } from './store.ts'

/** What of a task's files: all, if this is absent; those of the lease with this fence; or those of every other lease. */
export type OfLeases = { readonly only: bigint } | { readonly except: bigint }

/**
 * Deletes what ingesting a task has stored and no row names: of a task that ended otherwise meanwhile (it was canceled, its
 * deadline passed), of a lease that was lost, or of those before the one that won. Twice is once.
 */
export async function discardIngested(store: Store, taskId: TaskId, of?: OfLeases): Promise<void> {
  if (of === undefined) await store.deleteAll(taskFolder(taskId))
  else if ('only' in of) await store.deleteAll(leaseFolder(taskId, of.only))
  else await store.deleteAll(taskFolder(taskId), { except: leaseFolder(taskId, of.except) })
}
