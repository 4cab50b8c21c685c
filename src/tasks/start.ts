/**
 * Handing a task to its provider. The attempt, whose id is the token, is committed before the call; after it there are
 * four cases. Accepted: the operation is saved. Surely refused: the task fails, or waits if the provider was only busy.
 * Surely not delivered: tried again as a new attempt. Ambiguous: where the provider's start is idempotent it is repeated
 * with the same token; else the attempt is `uncertain`, its hold stays and nothing is submitted again until its deadline.
 */
import { type AttemptId, newId } from '../canonical/ids.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { StartOutcome } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { endAttempt, insertAttempt, type LeasedTask, saveOperation } from './lease-queries.ts'
import { settle } from './settle.ts'
import type { StepContext } from './step-context.ts'

/** A provider that has not answered a start by then leaves us in doubt. Shorter than a lease. */
export const START_TIMEOUT_MS = 30_000

/** First pause before a start is repeated. */
const RETRY_BASE_MS = 1_000

export async function start(context: StepContext, task: LeasedTask): Promise<void> {
  const attempt = await currentAttempt(context, task)
  if (attempt === undefined) return
  await faultPoint('start.recorded')
  const outcome = await callStart(context, task, attempt.id)
  if (outcome.kind === 'accepted') await faultPoint('start.accepted')
  await record(context, task, attempt, outcome)
}

interface OpenAttempt {
  readonly id: AttemptId
  readonly number: number
}

/** The attempt to call the provider with; `undefined` when nobody may be called now. */
async function currentAttempt(context: StepContext, task: LeasedTask): Promise<OpenAttempt | undefined> {
  const last = task.attempt
  if (last?.state === 'uncertain') return undefined
  if (last?.state === 'starting') {
    // Somebody died, or lost the lease, between recording this attempt and saving its outcome.
    if (context.provider.startIsIdempotent) return last
    await park(context, task, last.id, 'the process stopped while the provider was being called')
    return undefined
  }
  const next = { id: newId('att'), number: (last?.number ?? 0) + 1 }
  return (await insertAttempt(context.db, task, next)) ? next : undefined
}

async function callStart(context: StepContext, task: LeasedTask, token: AttemptId): Promise<StartOutcome> {
  // Not cut off when the process stops: an answer that is thrown away here may be a job that nobody knows.
  const signal = AbortSignal.timeout(START_TIMEOUT_MS)
  try {
    return await context.provider.start(task.request, { token, signal })
  } catch (error) {
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'start failed in an unknown way')
    return { kind: 'ambiguous', cause: error instanceof Error ? error.message : String(error) }
  }
}

async function record(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  outcome: StartOutcome,
): Promise<void> {
  const { db, provider } = context
  const again = { inMs: backoffMs(RETRY_BASE_MS, attempt.number, context.random), keepLeaseMs: undefined }
  switch (outcome.kind) {
    case 'accepted': {
      const next = { inMs: provider.pollEveryMs, keepLeaseMs: keptLeaseMs(provider) }
      await saveOperation(db, task, { attempt: attempt.id, operation: outcome.operation, next })
      await faultPoint('start.saved')
      return
    }
    case 'rejected': {
      const ended = { attempt: attempt.id, state: 'rejected', error: outcome.failure.message, next: again } as const
      if (!(await endAttempt(db, task, ended)) || outcome.retryable) return
      await settle(context, task, { state: 'failed', ...outcome.failure })
      return
    }
    case 'undelivered':
      await endAttempt(db, task, { attempt: attempt.id, state: 'undelivered', error: outcome.cause, next: again })
      return
    case 'ambiguous':
      if (provider.startIsIdempotent) {
        await endAttempt(db, task, { attempt: attempt.id, state: 'starting', error: outcome.cause, next: again })
      } else {
        await park(context, task, attempt.id, outcome.cause)
      }
  }
}

async function park(context: StepContext, task: LeasedTask, attempt: AttemptId, cause: string): Promise<void> {
  context.log.error({ task: task.id, attempt, provider: task.provider, cause }, 'attempt is uncertain: not repeated')
  const next = { inMs: 'deadline', keepLeaseMs: undefined } as const
  await endAttempt(context.db, task, { attempt, state: 'uncertain', error: cause, next })
}

/** A job that runs inside a worker stays with that worker between polls; see `Provider.affinity`. */
export function keptLeaseMs(provider: StepContext['provider']): number | undefined {
  return provider.affinity === 'worker' ? AFFINITY_LEASE_MS : undefined
}

/** How long a worker that went silent keeps its jobs: many polls long, and short enough to wait for. */
const AFFINITY_LEASE_MS = 15_000
