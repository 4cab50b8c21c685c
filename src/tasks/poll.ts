import { faultPoint } from '../observe/fault-point.ts'
import type { PollOutcome, ProducedAsset } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { collect } from './collect.ts'
import { type LeasedTask, markCollecting, savePoll } from './lease-queries.ts'
import { settle } from './settle.ts'
import { keptLeaseMs } from './start.ts'
import type { StepContext } from './step-context.ts'

/** A provider that has not answered a poll by then is asked again later. */
const POLL_TIMEOUT_MS = 20_000

/** A provider that asks for a longer pause is asked again after this: as long as a task may take at all. */
const MAX_PAUSE_MS = 60 * 60_000

/** 100 is said only when the video is stored. */
const MAX_RUNNING_PROGRESS = 99

/**
 * Asks the provider how the job stands. A provider that cannot be reached, or that speaks nonsense, is not a failed
 * task: the task stays as it is, is asked for again ever more rarely, and is bounded by its deadline.
 */
export async function poll(context: StepContext, task: LeasedTask): Promise<void> {
  const outcome = await askProvider(context, task)
  const keepLeaseMs = keptLeaseMs(context.provider)
  const { pollEveryMs } = context.provider
  switch (outcome?.kind) {
    case undefined: {
      // Cut off by our own stopping: that says nothing about the provider.
      if (context.signal.aborted) return
      const inMs = backoffMs(pollEveryMs, task.unansweredPolls + 1, context.random)
      await savePoll(context.db, task, { progress: 0, answered: false, next: { inMs, keepLeaseMs } })
      return
    }
    case 'pending': {
      const next = { inMs: pauseMs(outcome.pollAfterMs, pollEveryMs), keepLeaseMs }
      await savePoll(context.db, task, { progress: wholeProgress(outcome.progress), answered: true, next })
      return
    }
    case 'succeeded':
      await faultPoint('poll.succeeded')
      return collectAssets(context, task, outcome.assets)
    case 'failed':
      if (outcome.cause !== undefined) {
        context.log.warn({ task: task.id, provider: task.provider, cause: outcome.cause }, 'the provider failed')
      }
      await settle(context, task, { state: 'failed', ...outcome.failure })
      return
    case 'expired':
      await settle(context, task, { state: 'expired' })
  }
}

async function askProvider(context: StepContext, task: LeasedTask): Promise<PollOutcome | undefined> {
  const operation = task.attempt?.operation
  if (operation === undefined) throw new Error(`task ${task.id} is ${task.state} without an operation`)
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(POLL_TIMEOUT_MS)])
  try {
    return await context.provider.poll(operation, { openReference: context.openReference, signal })
  } catch (error) {
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'poll was not answered')
    return undefined
  }
}

async function collectAssets(context: StepContext, task: LeasedTask, assets: readonly ProducedAsset[]): Promise<void> {
  if (task.state === 'running') {
    if (!(await markCollecting(context.db, task))) return
    await faultPoint('collect.marked')
  }
  await collect(context, { ...task, state: 'collecting' }, assets)
}

/** What a provider asks for may be negative, endless, or not a number at all; then it is asked at its usual pace. */
function pauseMs(asked: number | undefined, usual: number): number {
  if (asked === undefined || !Number.isFinite(asked) || asked < 0) return usual
  return Math.min(asked, MAX_PAUSE_MS)
}

/** What a provider reports may be fractional, above 100, or not a number at all. */
function wholeProgress(reported: number | undefined): number {
  if (reported === undefined || !Number.isFinite(reported)) return 0
  return Math.min(Math.max(Math.floor(reported), 0), MAX_RUNNING_PROGRESS)
}
