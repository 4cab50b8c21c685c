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

const SECOND_MS = 1_000

export async function advance(context: StepContext, task: LeasedTask): Promise<void> {
  if (task.cancelRequested && (task.state === 'submitting' || task.state === 'running')) {
    await cancelJob(context, task, task.attempt?.operation)
    await settle(context, task, { state: 'canceled' })
    return
  }
  switch (task.state) {
    case 'submitting':
      return isOverdue(context, task) ? await expire(context, task) : await start(context, task)
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

/**
 * Whether a task that was handed to no provider is over its time. One whose provider was being called is not, yet: a repeat with
 * the same token still tells whether there is a job, and without it the attempt is parked as uncertain.
 */
function isOverdue({ deadlines }: StepContext, { leftMs, attempt }: LeasedTask): boolean {
  const graceMs = attempt?.state === 'starting' ? deadlines.uncertainSeconds * SECOND_MS : 0
  return leftMs + graceMs <= 0
}

async function expire(context: StepContext, task: LeasedTask): Promise<void> {
  await settle(context, task, { state: 'expired' })
}
