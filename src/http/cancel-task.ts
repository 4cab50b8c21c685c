import { setTimeout as delay } from 'node:timers/promises'
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
const LOOK_EVERY_MS = 50

/** Cancels, and waits a moment for the worker, so that the answer tells how it ended. */
export async function cancelAndWait(platform: Platform, wallet: WalletId, id: TaskId): Promise<Task> {
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
      return waitForEnd(platform, wallet, outcome.task)
  }
}

async function waitForEnd(platform: Platform, wallet: WalletId, task: Task): Promise<Task> {
  let latest = task
  for (let waited = 0; waited < WAIT_MS && !isTerminal(latest.state); waited += LOOK_EVERY_MS) {
    await delay(LOOK_EVERY_MS)
    latest = (await platform.databaseTurns.run(wallet, (db) => selectTask(db, wallet, task.id))) ?? latest
  }
  return latest
}
