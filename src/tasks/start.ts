/**
 * Handing a task to its provider. The attempt, whose id is the token, is committed before the call; after it there are
 * four cases. Accepted: the operation is saved. Surely refused: the task fails, or waits if the provider was only busy.
 * Surely not delivered: tried again as a new attempt. Ambiguous: where the provider's start is idempotent it is repeated
 * with the same token; else the attempt is `uncertain`, its hold stays and nothing is submitted again until its deadline.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type AttemptId, newId } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import { isTerminal } from '../canonical/task-state.ts'
import { faultPoint } from '../observe/fault-point.ts'
import type { StartOutcome } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { cancelJob } from './cancel-job.ts'
import { endAttempt, insertAttempt, type LeasedTask, saveOperation, selectState } from './lease-queries.ts'
import { settle } from './settle.ts'
import type { StepContext } from './step-context.ts'

/** A provider that has not answered a start by then leaves us in doubt. Shorter than a lease. */
export const START_TIMEOUT_MS = 30_000

/** Pauses between tries to save an accepted job: 10 s in all, which with the start's time-out still fits into a lease. */
const SAVE_PAUSES_MS = [200, 500, 1_000, 2_500, 6_000]

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
    return await context.provider.start(task.request, { token, openReference: context.openReference, signal })
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
  const failures = Math.max(attempt.number, task.unansweredPolls + 1)
  const again = { inMs: backoffMs(RETRY_BASE_MS, failures, context.random), keepLeaseMs: undefined }
  switch (outcome.kind) {
    case 'accepted':
      return saveAccepted(context, task, { attempt: attempt.id, operation: outcome.operation })
    case 'rejected': {
      const { failure } = outcome
      if (outcome.retryable) {
        await endAttempt(db, task, { attempt: attempt.id, state: 'rejected', error: failure.message, next: again })
      } else {
        await settle(context, task, { state: 'failed', ...failure, attempt: 'rejected' })
      }
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

/**
 * Saves the operation of an accepted job. It is all that is known of a job that somebody may bill, so a database that is
 * away for a moment is tried again, as long as the lease lasts. A job that came too late for its task is canceled.
 */
async function saveAccepted(
  context: StepContext,
  task: LeasedTask,
  { attempt, operation }: { attempt: AttemptId; operation: JsonObject },
): Promise<void> {
  const { db, provider, log } = context
  const next = { inMs: provider.pollEveryMs, keepLeaseMs: keptLeaseMs(provider) }
  const saved = await tryAgain(SAVE_PAUSES_MS, () => saveOperation(db, task, { attempt, operation, next }))
  if (saved) {
    await faultPoint('start.saved')
    return
  }
  log.error(
    { task: task.id, attempt, provider: task.provider, operation },
    'a job was accepted after its task had changed hands',
  )
  // Another worker that holds the task now repeats an idempotent start, and so has this very job.
  const state = await selectState(db, task.id)
  const isWanted = provider.startIsIdempotent && state !== undefined && !isTerminal(state)
  if (!isWanted) await cancelJob(context, task, operation)
}

/** Runs `work` again after each pause while it throws; the last error is thrown. */
async function tryAgain<Result>(pausesMs: readonly number[], work: () => Promise<Result>): Promise<Result> {
  for (const pauseMs of pausesMs) {
    try {
      return await work()
    } catch {
      await delay(pauseMs)
    }
  }
  return work()
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
