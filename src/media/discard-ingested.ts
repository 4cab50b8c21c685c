import type { TaskId } from '../canonical/ids.ts'
import { mediaKeysOf } from './media-keys.ts'
import type { Store } from './store.ts'

/**
 * Deletes what ingesting a task has stored. For a task that ended otherwise meanwhile (it was canceled, its deadline
 * passed): no row names its files, so retention would never find them. Twice is once.
 */
export async function discardIngested(store: Store, taskId: TaskId): Promise<void> {
  for (const key of mediaKeysOf(taskId)) await store.delete(key)
}
