import { faultPoint } from '../observe/fault-point.ts'
import { BlamelessError, DURABLE_JOBS, type PollOutcome } from '../providers/provider.ts'
import { backoffMs } from './backoff.ts'
import { cancelJob } from './cancel-job.ts'
import { COLLECT_RETRY_MS, collect } from './collect.ts'
import { giveUpJob, giveUpResult } from './give-up.ts'
import { gonePauseMs, judgeLook, type Sight } from './judge-look.ts'
import { keptLeaseMs } from './kept-lease.ts'
import type { LeasedTask } from './lease-queries.ts'
import { pollIntervalMs } from './poll-interval.ts'
import { markCollecting, type SavedPoll } from './poll-queries.ts'
import { settle } from './settle.ts'
import type { StepContext } from './step-context.ts'
import { withinTime } from './within-time.ts'

/** A provider that has not answered a poll by then is asked again later. */
const POLL_TIMEOUT_MS = 20_000

/** A provider that asks for a longer pause is asked again after this: as long as a task may take at all. */
const MAX_PAUSE_MS = 60 * 60_000

/** By how much of it a pause that a provider asked for may be exceeded. */
const PAUSE_SPREAD = 0.2

/** Characters of an upstream's own words in a line of the log. */
const LOGGED_CHARACTERS = 500

/** How often one word that an adapter does not know is logged as an error: thousands of jobs may report it at each poll. */
const UNKNOWN_STATUS_EVERY_MS = 60 * 60_000

/** 100 is said only when the video is stored. */
const MAX_RUNNING_PROGRESS = 99

const SECOND_MS = 1_000

/** What a poll came to; `undefined`: no answer. */
type Polled = PollOutcome | undefined

/** Asks the provider how the job stands, and does what `judge-look.ts` says follows. */
export async function poll(context: StepContext, task: LeasedTask): Promise<void> {
  const outcome = await askProvider(context, task)
  // Cut off by our own stopping: that says nothing about the provider.
  if (outcome === undefined && context.signal.aborted) return
  const sight = sightOf(outcome)
  const { goneJobs = DURABLE_JOBS } = context.provider
  const move = judgeLook(
    {
      sight,
      leftMs: task.leftMs,
      graceMs: context.deadlines.uncertainSeconds * SECOND_MS,
      before: sight === 'gone' ? task.gonePolls : task.collectFaults,
    },
    goneJobs,
  )
  switch (move) {
    case 'look again':
      return await lookAgain(context, task, outcome)
    case 'collect':
      return await collectVideo(context, task, outcome)
    case 'end as told':
      return await endAsTold(context, task, outcome)
    case 'expire':
      return await expire(context, task, sight)
    case 'give up the result':
      return await giveUpResult(context, task, 'no video', new Error('the finished job names no video'))
    case 'give up the job':
      return await giveUpJob(context, task, outcome?.kind === 'gone' ? outcome.cause : undefined)
  }
}

function sightOf(outcome: Polled): Sight {
  switch (outcome?.kind) {
    case undefined:
    case 'busy':
      return 'nothing'
    case 'succeeded':
      return outcome.assets.length > 0 ? 'video' : 'no video'
    case 'failed':
    case 'expired':
      return 'ended'
    case 'pending':
    case 'gone':
      return outcome.kind
  }
}

async function askProvider(context: StepContext, task: LeasedTask): Promise<Polled> {
  const operation = task.attempt?.operation
  if (operation === undefined) throw new Error(`task ${task.id} is ${task.state} without an operation`)
  const limit = { timeoutMs: POLL_TIMEOUT_MS, signal: context.signal }
  try {
    const outcome = await withinTime(limit, (signal) =>
      context.provider.poll(operation, {
        customer: String(task.wallet),
        openReference: context.openReference,
        signal,
      }),
    )
    context.breaker.pollAnswered()
    return outcome
  } catch (error) {
    if (!(error instanceof BlamelessError) && !context.signal.aborted) context.breaker.pollFaulted()
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'poll was not answered')
    return undefined
  }
}

/** Saves what was learned of a job that goes on, and when it is asked for again. */
async function lookAgain(context: StepContext, task: LeasedTask, outcome: Polled): Promise<void> {
  if (outcome === undefined && task.cancelRequested) {
    // Its finished video cannot be had, and its owner no longer wants it.
    await settle(context, task, { state: 'canceled' })
    return
  }
  await context.polls.save(savedPoll(context, task, outcome))
}

function savedPoll(context: StepContext, task: LeasedTask, outcome: Polled): SavedPoll {
  const { provider, random } = context
  const { pollEveryMs } = provider
  const keepLeaseMs = keptLeaseMs(provider)
  const usualMs = pollIntervalMs({ pollEveryMs, ageMs: task.ageMs, lateMs: task.lateMs ?? 0, random })
  const nextIn = (inMs: number) => ({ inMs, keepLeaseMs })
  switch (outcome?.kind) {
    case 'pending': {
      if (outcome.unknownStatus !== undefined) tellUnknownStatus(context, task, outcome.unknownStatus)
      const next = nextIn(pauseMs(outcome.pollAfterMs, { usualMs, random }))
      return { task, progress: wholeProgress(outcome.progress), found: 'pending', next }
    }
    case 'busy':
      return { task, progress: 0, found: 'busy', next: nextIn(pauseMs(outcome.pollAfterMs, { usualMs, random })) }
    case 'gone': {
      context.log.warn(
        { task: task.id, provider: task.provider, cause: outcome.cause },
        'the provider does not know the job: it is asked again',
      )
      const patienceMs = gonePauseMs(task.gonePolls, provider.goneJobs)
      return { task, progress: 0, found: 'gone', next: nextIn(pauseMs(patienceMs, { usualMs, random })) }
    }
    case 'succeeded': {
      context.log.warn(
        { task: task.id, provider: task.provider },
        'the provider says that it is done, but gives no video: it is asked again',
      )
      context.counters.collectFault(task.provider, 'no video')
      const next = nextIn(backoffMs(COLLECT_RETRY_MS, task.collectFaults, random))
      return { task, progress: MAX_RUNNING_PROGRESS, found: 'no video', next }
    }
    default:
      return {
        task,
        progress: 0,
        found: 'nothing',
        next: nextIn(backoffMs(pollEveryMs, task.unansweredPolls + 1, random)),
      }
  }
}

function tellUnknownStatus({ log, cadence }: StepContext, task: LeasedTask, word: string): void {
  const unknownStatus = word.slice(0, LOGGED_CHARACTERS)
  const level = cadence.isDue(`status ${unknownStatus}`, UNKNOWN_STATUS_EVERY_MS) ? 'error' : 'debug'
  log[level](
    { task: task.id, provider: task.provider, unknownStatus },
    'the provider uses a status word that its adapter does not know: the task goes on until its deadline',
  )
}

async function collectVideo(context: StepContext, task: LeasedTask, outcome: Polled): Promise<void> {
  if (outcome?.kind !== 'succeeded') return
  await faultPoint('poll.succeeded')
  using place = context.collecting.enter()
  if (place === undefined) {
    // More are done at once than can be fetched: it is asked for again, and the polls of other tasks go on meanwhile.
    const { provider, random } = context
    const inMs = pollIntervalMs({ pollEveryMs: provider.pollEveryMs, ageMs: 0, lateMs: 0, random })
    const next = { inMs, keepLeaseMs: keptLeaseMs(provider) }
    await context.polls.save({ task, progress: MAX_RUNNING_PROGRESS, found: 'video', next })
    return
  }
  let { leftMs } = task
  if (task.state === 'running') {
    const lifeMs = await markCollecting(context.db, task, outcome.expiresAt)
    if (lifeMs === undefined) return
    leftMs = lifeMs
    await faultPoint('collect.marked')
  }
  await collect(context, { ...task, state: 'collecting', leftMs }, outcome.assets)
}

async function endAsTold(context: StepContext, task: LeasedTask, outcome: Polled): Promise<void> {
  if (outcome?.kind === 'expired') {
    await settle(context, task, { state: 'expired' })
  } else if (outcome?.kind === 'failed') {
    if (outcome.cause !== undefined) {
      const cause = outcome.cause.slice(0, LOGGED_CHARACTERS)
      context.log.warn({ task: task.id, provider: task.provider, cause }, 'the provider failed')
    }
    await settle(context, task, { state: 'failed', ...outcome.failure })
  }
}

async function expire(context: StepContext, task: LeasedTask, sight: Sight): Promise<void> {
  const about = { task: task.id, provider: task.provider }
  if (sight === 'pending') context.log.warn(about, 'the job is not finished at its deadline: it is canceled')
  else context.log.error(about, 'no look at the job was answered since its deadline: it may be finished, and billed')
  await cancelJob(context, task, task.attempt?.operation)
  await settle(context, task, { state: 'expired' })
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
