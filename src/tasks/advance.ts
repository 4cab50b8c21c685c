/**
 * One step of a leased task: the heart of the machine. A step gathers nothing that a crash could lose: it reads the row,
 * asks the provider, and writes what it learned under its fencing token. Every step may run twice.
 */
import { cancelJob } from './cancel-job.ts'
import type { LeasedTask } from './lease-queries.ts'
import { poll } from './poll.ts'
import { settle } from './settle.ts'
import { start } from './start.ts'
import type { StepContext } from './step-context.ts'

export async function advance(context: StepContext, task: LeasedTask): Promise<void> {
  if (task.cancelRequested && (task.state === 'submitting' || task.state === 'running')) {
    await cancelJob(context, task, task.attempt?.operation)
    await settle(context, task, { state: 'canceled' })
    return
  }
  if (task.leftMs <= 0) {
    await cancelJob(context, task, task.attempt?.operation)
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
