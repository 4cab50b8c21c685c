import type { TaskId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import type { WalletId } from '../ledger/queries.ts'
import { cancelTask } from '../tasks/cancel.ts'
import { selectTask } from '../tasks/queries.ts'
import type { Platform } from './platform.ts'

/** A worker cancels within a fraction of this; a caller whose worker is away is told `processing` and reads again. */
const WAIT_MS = 3_000

/** Which task, of which wallet; `signal` aborts when the answer is not waited for any more. */
export interface Cancellation {
  readonly wallet: WalletId
  readonly id: TaskId
  readonly signal: AbortSignal
}

type Parts = Pick<Platform, 'databaseTurns' | 'waker' | 'watchers'>

/** Cancels, and waits a moment for the worker, so that the answer tells how it ended. */
export async function cancelAndWait(platform: Parts, { wallet, id, signal }: Cancellation): Promise<Task> {
  const outcome = await platform.databaseTurns.run(wallet, (db) => cancelTask(db, wallet, id))
  switch (outcome.kind) {
    case 'canceled':
      return outcome.task
    case 'not_found':
      throw new Refusal('task_not_found', 'There is no such generation.')
    case 'too_late':
      throw new Refusal('not_cancelable', `The generation is ${outcome.task.state} and cannot be canceled any more.`)
    case 'requested':
      platform.waker.wake()
      return waitForEnd(platform, { wallet, signal }, outcome.task)
  }
}

/** By the watch that long polls share: a task is read when it has changed, and not to see whether it has. */
async function waitForEnd(
  { databaseTurns, watchers }: Parts,
  { wallet, signal }: Pick<Cancellation, 'wallet' | 'signal'>,
  task: Task,
): Promise<Task> {
  const deadline = performance.now() + WAIT_MS
  using watch = watchers.watch(task)
  let latest = task
  while (!isTerminal(latest.state)) {
    const news = await watch.next(Math.max(0, deadline - performance.now()), signal)
    if (news === 'quiet') break
    latest = (await databaseTurns.run(wallet, (db) => selectTask(db, wallet, task.id))) ?? latest
  }
  return latest
}
