/**
 * One step of a leased task: the heart of the machine. A step gathers nothing that a crash could lose: it reads the row,
 * asks the provider, and writes what it learned under its fencing token. Every step may run twice.
 */
import type { LeasedTask } from './lease-queries.ts'
import { poll } from './poll.ts'
import { settle } from './settle.ts'
import { start } from './start.ts'
import type { StepContext } from './step-context.ts'

/** A provider that has not heard a cancel by then is not waited for. */
const CANCEL_TIMEOUT_MS = 5_000

export async function advance(context: StepContext, task: LeasedTask): Promise<void> {
  if (task.cancelRequested && (task.state === 'submitting' || task.state === 'running')) {
    await cancelAtProvider(context, task)
    await settle(context, task, { state: 'canceled' })
    return
  }
  if (task.overdue) {
    await cancelAtProvider(context, task)
    await settle(context, task, { state: 'expired' })
    return
  }
  switch (task.state) {
    case 'submitting':
      return start(context, task)
    case 'running':
    case 'collecting':
      return poll(context, task)
    case 'queued':
    case 'succeeded':
    case 'failed':
    case 'canceled':
    case 'expired':
      throw new Error(`task ${task.id} is ${task.state} and should not have been leased`)
  }
}

/** Asks the provider to stop, if it has the job. That it cannot be reached does not keep the customer's credits. */
async function cancelAtProvider(context: StepContext, task: LeasedTask): Promise<void> {
  const operation = task.attempt?.operation
  if (operation === undefined) return
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(CANCEL_TIMEOUT_MS)])
  try {
    await context.provider.cancel?.(operation, { signal })
  } catch (error) {
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'could not cancel at the provider')
  }
}
