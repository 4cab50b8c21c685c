import { faultPoint } from '../observe/fault-point.ts'
import type { LeasedTask } from './lease-queries.ts'
import { type Settlement, settleTask } from './settle-queries.ts'
import type { StepContext } from './step-context.ts'

/**
 * Ends a task, together with its hold: one transaction, won by one of however many try. Afterwards the provider may
 * discard what it kept for this job; that a crash forgets to costs disk, never money.
 */
export async function settle(context: StepContext, task: LeasedTask, end: Settlement): Promise<boolean> {
  const won = await settleTask(context.db, task, end)
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
  if (task.state === 'collecting' && end.state !== 'succeeded') await context.discardIngested(task.id)
  await discardCopy(context, task)
  return true
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
