import { faultPoint } from '../observe/fault-point.ts'
import { BlamelessError, type PollOutcome, type ProducedAsset } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { collect } from './collect.ts'
import type { LeasedTask } from './lease-queries.ts'
import { pollIntervalMs } from './poll-interval.ts'
import { markCollecting } from './poll-queries.ts'
import { settle } from './settle.ts'
import { keptLeaseMs } from './start.ts'
import type { StepContext } from './step-context.ts'
import { withinTime } from './within-time.ts'

/** A provider that has not answered a poll by then is asked again later. */
const POLL_TIMEOUT_MS = 20_000

/** A provider that asks for a longer pause is asked again after this: as long as a task may take at all. */
const MAX_PAUSE_MS = 60 * 60_000

/** By how much of it a pause that a provider asked for may be exceeded. */
const PAUSE_SPREAD = 0.2

/**
 * Pauses between polls in a row to which a provider says that it does not know a job: 5 minutes in all, which a redeploy over
 * there does not take. After the last it is believed.
 */
const GONE_PAUSES_MS = [10_000, 20_000, 40_000, 80_000, 150_000]

/** Characters of an upstream's own words in a line of the log. */
const LOGGED_CHARACTERS = 500

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
      await context.polls.save({ task, progress: 0, answered: false, next: { inMs, keepLeaseMs } })
      return
    }
    case 'pending': {
      if (outcome.unknownStatus !== undefined) {
        const unknownStatus = outcome.unknownStatus.slice(0, LOGGED_CHARACTERS)
        context.log.error(
          { task: task.id, provider: task.provider, unknownStatus },
          'the provider uses a status that nobody knows: the task goes on',
        )
      }
      const { ageMs, lateMs = 0 } = task
      const usualMs = pollIntervalMs({ pollEveryMs, ageMs, lateMs, random: context.random })
      const next = { inMs: pauseMs(outcome.pollAfterMs, { usualMs, random: context.random }), keepLeaseMs }
      await context.polls.save({ task, progress: wholeProgress(outcome.progress), answered: true, next })
      return
    }
    case 'busy': {
      const usualMs = pollIntervalMs({ pollEveryMs, ageMs: task.ageMs, lateMs: 0, random: context.random })
      const next = { inMs: pauseMs(outcome.pollAfterMs, { usualMs, random: context.random }), keepLeaseMs }
      await context.polls.save({ task, progress: 0, answered: true, next })
      return
    }
    case 'succeeded':
      await faultPoint('poll.succeeded')
      return collectAssets(context, task, outcome.assets)
    case 'failed':
      if (outcome.cause !== undefined) {
        const cause = outcome.cause.slice(0, LOGGED_CHARACTERS)
        context.log.warn({ task: task.id, provider: task.provider, cause }, 'the provider failed')
      }
      await settle(context, task, { state: 'failed', ...outcome.failure })
      return
    case 'expired':
      await settle(context, task, { state: 'expired' })
      return
    case 'gone':
      return pollGone(context, task)
  }
}

/** A server that was restarted may not know a job for a moment; one that says so for minutes has lost it. */
async function pollGone(context: StepContext, task: LeasedTask): Promise<void> {
  context.log.warn({ task: task.id, provider: task.provider }, 'the provider does not know the job')
  const patienceMs = GONE_PAUSES_MS[task.gonePolls]
  if (patienceMs === undefined) {
    const message = 'The provider lost the generation.'
    await settle(context, task, { state: 'failed', reason: 'generation_failed', message })
    return
  }
  const inMs = pauseMs(patienceMs, { usualMs: context.provider.pollEveryMs, random: context.random })
  const next = { inMs, keepLeaseMs: keptLeaseMs(context.provider) }
  await context.polls.save({ task, progress: 0, answered: true, isGone: true, next })
}

async function askProvider(context: StepContext, task: LeasedTask): Promise<PollOutcome | undefined> {
  const operation = task.attempt?.operation
  if (operation === undefined) throw new Error(`task ${task.id} is ${task.state} without an operation`)
  const limit = { timeoutMs: POLL_TIMEOUT_MS, signal: context.signal }
  try {
    const outcome = await withinTime(limit, (signal) =>
      context.provider.poll(operation, { openReference: context.openReference, signal }),
    )
    context.breaker.pollAnswered()
    return outcome
  } catch (error) {
    // Cut off by our own stopping: that says nothing about the provider.
    if (!(error instanceof BlamelessError) && !context.signal.aborted) context.breaker.pollFaulted()
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'poll was not answered')
    return undefined
  }
}

async function collectAssets(context: StepContext, task: LeasedTask, assets: readonly ProducedAsset[]): Promise<void> {
  using place = context.collecting.enter()
  if (place === undefined) {
    // More are done at once than can be fetched: it is asked for again, and the polls of other tasks go on meanwhile.
    const { provider, random } = context
    const inMs = pollIntervalMs({ pollEveryMs: provider.pollEveryMs, ageMs: 0, lateMs: 0, random })
    const next = { inMs, keepLeaseMs: keptLeaseMs(provider) }
    await context.polls.save({ task, progress: MAX_RUNNING_PROGRESS, answered: true, next })
    return
  }
  if (task.state === 'running') {
    if (!(await markCollecting(context.db, task))) return
    await faultPoint('collect.marked')
  }
  await collect(context, { ...task, state: 'collecting' }, assets)
}

/**
 * What a provider asks for may be negative, endless, or not a number at all; then it is asked at its usual pace. Never sooner
 * than it asks for: those that were all sent away together come back apart, and late.
 */
function pauseMs(
  asked: number | undefined,
  { usualMs, random }: { readonly usualMs: number; readonly random: () => number },
): number {
  if (asked === undefined || !Number.isFinite(asked) || asked < 0) return usualMs
  return Math.round(Math.min(asked, MAX_PAUSE_MS) * (1 + PAUSE_SPREAD * random()))
}

/** What a provider reports may be fractional, above 100, or not a number at all. */
function wholeProgress(reported: number | undefined): number {
  if (reported === undefined || !Number.isFinite(reported)) return 0
  return Math.min(Math.max(Math.floor(reported), 0), MAX_RUNNING_PROGRESS)
}
