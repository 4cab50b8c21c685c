import type { TaskId } from '../canonical/ids.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import { cancelParked } from './parked-queries.ts'
import { cancelQueued, requestCancel, selectTask } from './queries.ts'

export type CancelOutcome =
  /** Canceled, its credits released. Canceling twice is this, too. */
  | { readonly kind: 'canceled'; readonly task: Task }
  /** A worker has been asked; the task ends as canceled in a moment, unless the provider is faster. */
  | { readonly kind: 'requested'; readonly task: Task }
  /** It has ended otherwise, or its video is being delivered. */
  | { readonly kind: 'too_late'; readonly task: Task }
  | { readonly kind: 'not_found' }

/**
 * Cancels a task. Queued or parked: at once. With a provider: the worker asks the provider to stop and ends the task. Once the
 * provider has delivered it is too late: the video exists and is charged, unless it cannot be fetched or stored. A canceled task
 * costs nothing.
 */
export async function cancelTask(db: Queryable, wallet: WalletId, id: TaskId): Promise<CancelOutcome> {
  const task = await selectTask(db, wallet, id)
  if (task === undefined) return { kind: 'not_found' }
  if (isTerminal(task.state)) return { kind: task.state === 'canceled' ? 'canceled' : 'too_late', task }
  const canceled = await cancelQueued(db, id)
  const requested = !canceled && (await requestCancel(db, id))
  // A worker that gives the task to another provider may have put it back into a queue between the two.
  if (!canceled && !requested && !(await cancelParked(db, id))) await cancelQueued(db, id)
  const now = (await selectTask(db, wallet, id)) ?? task
  if (now.state === 'canceled') return { kind: 'canceled', task: now }
  return { kind: requested ? 'requested' : 'too_late', task: now }
}
