/**
 * Handing a task to its provider. The attempt, whose id is the token, is committed before the call; after it there are
 * four cases. Accepted: the operation is saved. Surely refused, or surely not delivered: the task goes to another
 * provider that can take it and is well; is there none, it fails if this one never will take it, and else is tried again
 * as a new attempt. Ambiguous: where the provider's start is idempotent it is repeated with the same token, until the
 * provider accepts it, refuses the repeat for good, or says that it will never tell; else, and then, the attempt is
 * `uncertain`, its hold stays and nothing is submitted again, anywhere: a later answer, the operator or the configured time
 * ends it. A provider that is gone from the configuration gets no new attempt.
 */
import { type AttemptId, newId } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import { faultPoint } from '../observe/fault-point.ts'
import { afterRunning } from '../observe/running-time.ts'
import { BlamelessError, type RejectionCause, type StartOutcome } from '../providers/provider.ts'
import {
  endAttempt,
  insertAttempt,
  keepForRepeat,
  parkUncertain,
  reopenAttempt,
  type UnstartedAttempt,
} from './attempt-queries.ts'
import { backoffMs } from './backoff.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { type LeasedTask, postponeTask } from './lease-queries.ts'
import { passOn } from './pass-on.ts'
import { saveAccepted } from './save-accepted.ts'
import { settle } from './settle.ts'
import type { StartCall, StepContext } from './step-context.ts'

/** A provider that has not answered a start by then leaves us in doubt. Shorter than a lease. */
export const START_TIMEOUT_MS = 30_000

/** A provider that asks for a longer pause is asked again after this: its limits are counted by the minute or the hour. */
const MAX_RETRY_AFTER_MS = 60 * 60_000

/** First pause before a start is repeated. */
const RETRY_BASE_MS = 1_000

/** Until a task is looked at again whose attempt another step of this process has in hand. */
const IN_HAND_PAUSE_MS = 1_000

/** Until a start that found no room for its files is looked at again, at least. */
const ROOM_PAUSE_MS = 300

/** Until a start that may not be made now is looked at again: an ill provider, or a store that is away, is not well sooner. */
const HELD_BACK_PAUSE_MS = 5_000

/** Until a task of a retired provider is looked at again: another may be well by then, or a reload brings this one back. */
const RETIRED_PAUSE_MS = 15_000

export async function start(context: StepContext, task: LeasedTask): Promise<void> {
  if (task.mode === 'test' && context.provider.isFree !== true) return refuseTestCredits(context, task)
  using room = context.starting.enter(task.request.references.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
  if (room === undefined) return await waitForRoom(context, task)
  const attempt = await currentAttempt(context, task)
  if (attempt === undefined) return
  using _ = context.accepted.hold(attempt.id)
  await faultPoint('start.recorded')
  const outcome = await callStart(context, task, attempt)
  if (outcome.kind === 'accepted') await faultPoint('start.accepted')
  await record(context, task, attempt, outcome)
}

/**
 * The lease ran out under a step of this very process, which still waits for the provider, or for the database to save the job.
 * That step ends the doubt, so this one gives the task back.
 */
async function leaveInHand({ db }: StepContext, task: LeasedTask): Promise<undefined> {
  await postponeTask(db, task, { inMs: IN_HAND_PAUSE_MS, keepLeaseMs: undefined })
}

/** Others hold as many files in memory as there is room for: it comes again in a moment. */
async function waitForRoom({ db, random }: StepContext, task: LeasedTask): Promise<void> {
  const inMs = ROOM_PAUSE_MS * (1 + random())
  await postponeTask(db, task, { inMs, keepLeaseMs: undefined })
}

/** Routing sends no such task here. Should it ever, then nobody is billed for what test credits pay. */
async function refuseTestCredits(context: StepContext, task: LeasedTask): Promise<void> {
  context.log.error(
    { task: task.id, provider: task.provider },
    'a task of test credits stood before a provider that costs something: it fails',
  )
  const message = 'No provider is available for test credits.'
  await settle(context, task, { state: 'failed', reason: 'provider_unavailable', message })
}

interface OpenAttempt {
  readonly id: AttemptId
  readonly number: number
  /** Names the provider's key that it is made with. */
  readonly credential: string | undefined
  /** What an earlier call kept. */
  readonly kept: JsonObject | undefined
  /** The provider was called with its token before, and nobody knows what came of it: its job may run. */
  readonly isRepeat: boolean
}

/** The attempt to call the provider with; `undefined` when nobody may be called now. */
async function currentAttempt(context: StepContext, task: LeasedTask): Promise<OpenAttempt | undefined> {
  const last = task.attempt
  if (last?.state === 'uncertain') return undefined
  if (last?.state === 'starting') {
    if (context.accepted.isInHand(last.id)) return await leaveInHand(context, task)
    // Somebody died, or lost the lease, between recording this attempt and saving its outcome.
    if (context.provider.startIsIdempotent) {
      return (await isHeldBack(context, task, 'repeat')) ? undefined : { ...last, isRepeat: true }
    }
    await park(context, task, last.id, 'the process stopped while the provider was being called')
    return undefined
  }
  if (context.isRetired) {
    if (await passOn(context, task, undefined)) return undefined
    await postponeTask(context.db, task, { inMs: RETIRED_PAUSE_MS, keepLeaseMs: undefined })
    return undefined
  }
  if (last !== undefined && context.breaker.state === 'open' && (await passOn(context, task, undefined)))
    return undefined
  if (await isHeldBack(context, task, 'new')) return undefined
  if (last?.state === 'lost' && last.provider === context.provider.id && context.provider.startIsIdempotent) {
    // Nothing came of it, so this call tells as much as a first one; its token makes one job of two, should the lost one turn up.
    return (await reopenAttempt(context.db, task, last.id)) ? { ...last, isRepeat: false } : undefined
  }
  const { credential } = context.provider
  const next = { id: newId('att'), number: (last?.number ?? 0) + 1, credential, kept: undefined, isRepeat: false }
  const costMicroUsd = context.provider.costMicroUsd?.(task.request)
  return (await insertAttempt(context.db, task, { ...next, costMicroUsd })) ? next : undefined
}

/** Whether the provider may not be called now; then the task is given back until it may. */
async function isHeldBack(context: StepContext, task: LeasedTask, call: StartCall): Promise<boolean> {
  if (context.mayStart(call)) return false
  const inMs = HELD_BACK_PAUSE_MS * (1 + context.random())
  await postponeTask(context.db, task, { inMs, keepLeaseMs: undefined })
  return true
}

async function callStart(
  { db, provider, openReference, breaker, log }: StepContext,
  task: LeasedTask,
  { id: token, credential, kept }: OpenAttempt,
): Promise<StartOutcome> {
  // Not cut off when the process stops: an answer that is thrown away here may be a job that nobody knows.
  const end = new AbortController()
  const timeOut = new DOMException(`no answer within ${START_TIMEOUT_MS} ms`, 'TimeoutError')
  const calledOff = afterRunning(START_TIMEOUT_MS, () => end.abort(timeOut))
  const { signal } = end
  const keep = async (what: JsonObject) => {
    if (!(await keepForRepeat(db, task, { attempt: token, kept: what }))) throw new Error('the lease was lost')
  }
  try {
    const outcome = await provider.start(task.request, {
      customer: String(task.wallet),
      token,
      credential,
      kept,
      keep,
      openReference,
      signal,
    })
    noteHealth(breaker, outcome)
    return outcome
  } catch (error) {
    log.warn({ err: error, task: task.id, provider: task.provider }, 'start failed in an unknown way')
    // The key of an attempt in doubt is gone: calling again would come to the same.
    if (error instanceof BlamelessError) return { kind: 'ambiguous', cause: error.message, isFinal: true }
    breaker.faulted()
    return { kind: 'ambiguous', cause: error instanceof Error ? error.message : String(error) }
  } finally {
    calledOff()
  }
}

/** Rejections that say nothing about the request: the next one meets the same. */
const OPERATORS_AFFAIRS: readonly RejectionCause[] = ['credentials', 'configuration']

/** Only what the provider itself does wrong counts against it: that it refuses a request, or is busy, does not. */
function noteHealth(breaker: CircuitBreaker, outcome: StartOutcome): void {
  if (isOurs(outcome)) return
  const isWell =
    outcome.kind === 'rejected' ? !OPERATORS_AFFAIRS.includes(outcome.because) : outcome.kind === 'accepted'
  if (isWell) breaker.answered()
  else breaker.faulted()
}

/** The provider was not even called. */
function isOurs(outcome: StartOutcome): boolean {
  return outcome.kind === 'undelivered' && outcome.isOurs === true
}

async function record(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  outcome: StartOutcome,
): Promise<void> {
  const { provider } = context
  if (attempt.isRepeat && isSilentOnEarlierCalls(outcome)) {
    return await repeatLater(context, task, attempt, outcome)
  }
  switch (outcome.kind) {
    case 'accepted':
      return saveAccepted(context, task, {
        task: task.id,
        attempt: attempt.id,
        provider: task.provider,
        operation: outcome.operation,
      })
    case 'rejected':
      return recordRejected(context, task, attempt, outcome)
    case 'undelivered': {
      const unstarted = { state: 'undelivered', error: outcome.cause } as const
      if (isOurs(outcome)) return retry(context, task, attempt, unstarted)
      return passOnOrRetry(context, task, attempt, unstarted)
    }
    case 'ambiguous':
      if (provider.startIsIdempotent && outcome.isFinal !== true) await repeatLater(context, task, attempt, outcome)
      else await park(context, task, attempt.id, outcome.cause)
  }
}

/**
 * Whether an outcome tells only of the call that it is of. A repeat that did not arrive, or found no room or no entry, leaves
 * open whether an earlier call made a job: neither another token nor another provider may be tried.
 */
function isSilentOnEarlierCalls(outcome: StartOutcome): outcome is Exclude<StartOutcome, { kind: 'accepted' }> {
  if (outcome.kind === 'rejected') return outcome.because === 'busy' || OPERATORS_AFFAIRS.includes(outcome.because)
  return outcome.kind === 'undelivered'
}

/** Calls the provider again later with the same token: its start is idempotent. */
async function repeatLater(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  outcome: Exclude<StartOutcome, { kind: 'accepted' }>,
): Promise<void> {
  const retryAfterMs = outcome.kind === 'rejected' ? outcome.retryAfterMs : undefined
  const next = { inMs: pauseMs({ context, task, attempt, retryAfterMs }), keepLeaseMs: undefined }
  const error = outcome.cause ?? outcome.kind
  await endAttempt(context.db, task, { attempt: attempt.id, state: 'starting', error, next })
}

async function recordRejected(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  { because, failure, cause, retryAfterMs }: Extract<StartOutcome, { kind: 'rejected' }>,
): Promise<void> {
  const { log, provider } = context
  log.warn({ task: task.id, attempt: attempt.id, provider: provider.id, because, cause }, 'the provider refused a job')
  const rejection = { state: 'rejected', because, error: cause ?? failure.message } as const
  if (attempt.isRepeat) {
    // It, or something before it, refuses the repeat for good; the earlier call may have made a job all the same.
    await park(context, task, attempt.id, `a repeat was refused: ${rejection.error}`)
  } else if (because === 'policy') {
    await settle(context, task, { state: 'failed', ...failure, attempt: 'rejected' })
  } else if (because === 'request' || because === 'configuration') {
    if (await passOn(context, task, { attempt: attempt.id, ...rejection })) return
    await settle(context, task, { state: 'failed', ...failure, attempt: 'rejected' })
  } else {
    await passOnOrRetry(context, task, attempt, { ...rejection, retryAfterMs })
  }
}

interface Unstarted extends Omit<UnstartedAttempt, 'attempt'> {
  readonly retryAfterMs?: number | undefined
}

/** Gives the task to another provider; where there is none, this one is asked again later. */
async function passOnOrRetry(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  unstarted: Unstarted,
): Promise<void> {
  const { retryAfterMs: _, ...ended } = unstarted
  if (await passOn(context, task, { attempt: attempt.id, ...ended })) return
  await retry(context, task, attempt, unstarted)
}

/** This provider is asked again later, by a new attempt. */
async function retry(
  context: StepContext,
  task: LeasedTask,
  attempt: OpenAttempt,
  { retryAfterMs, ...ended }: Unstarted,
): Promise<void> {
  const inMs = pauseMs({ context, task, attempt, retryAfterMs })
  await endAttempt(context.db, task, { attempt: attempt.id, ...ended, next: { inMs, keepLeaseMs: undefined } })
}

/** Until the provider is called again: ever longer, and at least as long as it asks for, within reason. */
function pauseMs(about: {
  readonly context: StepContext
  readonly task: LeasedTask
  readonly attempt: OpenAttempt
  readonly retryAfterMs: number | undefined
}): number {
  const { context, task, attempt, retryAfterMs = 0 } = about
  const backoff = backoffMs(RETRY_BASE_MS, Math.max(attempt.number, task.unansweredPolls + 1), context.random)
  return Math.max(backoff, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS))
}

async function park(context: StepContext, task: LeasedTask, attempt: AttemptId, cause: string): Promise<void> {
  context.log.error({ task: task.id, attempt, provider: task.provider, cause }, 'attempt is uncertain: not repeated')
  await parkUncertain(context.db, task, { attempt, error: cause, seconds: context.deadlines.uncertainSeconds })
}
