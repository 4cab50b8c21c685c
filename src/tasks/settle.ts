import { setTimeout as delay } from 'node:timers/promises'
import type { OfLeases } from '../media/discard-ingested.ts'
import { faultPoint } from '../observe/fault-point.ts'
import { backoffMs } from './backoff.ts'
import type { LeasedTask } from './lease-queries.ts'
import { isWalletHeld, type Settlement, settleTask } from './settle-queries.ts'
import type { StepContext } from './step-context.ts'

/** First pause before a settlement whose wallet another session holds is tried again. */
const HELD_PAUSE_MS = 250

/** How long a step tries to settle a held wallet; the rest of its lease is for what comes before. Then the task is taken up again. */
const HELD_PATIENCE_MS = 10_000

/**
 * Ends a task, together with its hold: one transaction, won by one of however many try. Afterwards the provider may
 * discard what it kept for this job; that a crash forgets to costs disk, never money.
 */
export async function settle(context: StepContext, task: LeasedTask, end: Settlement): Promise<boolean> {
  const won = await settlePatiently(context, task, end)
  if (!won) {
    context.log.info(
      { task: task.id, state: end.state },
      'settlement came too late: the task had ended or changed hands',
    )
    return false
  }
  await faultPoint('settle.committed')
  context.onEnded()
  context.log.info({ task: task.id, state: end.state }, 'task ended')
  // An earlier try may have stored files that no row will ever name.
  if (task.state === 'collecting' && end.state !== 'succeeded') await discardStored(context, task)
  await discardCopy(context, task)
  return true
}

/** Settles; while another session holds the wallet, again and again, with pauses in which no connection is taken. */
async function settlePatiently(
  { db, signal, random }: StepContext,
  task: LeasedTask,
  end: Settlement,
): Promise<boolean> {
  const sinceMs = performance.now()
  for (let tries = 0; ; tries += 1) {
    try {
      return await settleTask(db, task, end)
    } catch (error) {
      if (!isWalletHeld(error) || performance.now() - sinceMs > HELD_PATIENCE_MS) throw error
    }
    await delay(backoffMs(HELD_PAUSE_MS, tries, random), undefined, { signal })
  }
}

/** Deletes files of a task that no row names; a store that does not delete now holds up nothing. */
export async function discardStored(
  { discardIngested, log }: StepContext,
  task: LeasedTask,
  of?: OfLeases,
): Promise<void> {
  await discardIngested(task.id, of).catch((error: unknown) => {
    log.warn({ err: error, task: task.id }, 'files that no row names could not be deleted from the store')
  })
}

/** Lets the provider discard what it kept for a job that is over. */
export async function discardCopy(context: StepContext, task: LeasedTask): Promise<void> {
  const operation = task.attempt?.operation
  if (operation === undefined) return
  try {
    await context.provider.discard?.(operation)
  } catch (error) {
    context.log.warn({ err: error, task: task.id }, 'the provider could not discard its copy')
  }
  await faultPoint('settle.discarded')
}
