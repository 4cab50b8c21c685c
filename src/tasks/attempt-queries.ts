/** What is written down of handing a task to a provider, under the fencing token of its lease. */
import pg from 'pg'
import { type AttemptId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { Queryable } from '../db/database.ts'
import type { RejectionCause } from '../providers/provider.ts'
import type { LeasedTask } from './lease-queries.ts'
import { NEXT_STEP, type NextStep, nextStepValues } from './next-step.ts'
import { QUEUE_DEADLINE_SECONDS } from './queries.ts'
import { statesBefore } from './states.ts'
import { storable } from './storable.ts'

/** Commits a new attempt before its provider is called. False: the lease was lost, so nobody may be called. */
export async function insertAttempt(
  db: Queryable,
  task: LeasedTask,
  attempt: {
    readonly id: AttemptId
    readonly number: number
    /** Names the key that it is made with. */
    readonly credential: string | undefined
    /** `undefined` is unknown. */
    readonly costMicroUsd?: number | undefined
  },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'insert-attempt',
    text: `insert into attempts (id, task_id, number, provider, credential, cost_micro_usd)
           select $3, t.id, $4, t.provider, $5, $6 from tasks t
           where t.id = $1 and t.fence = $2 and t.state = 'submitting' for update`,
    values: [
      ...[uuidOf(task.id), task.fence, uuidOf(attempt.id), attempt.number],
      ...[attempt.credential ?? null, attempt.costMicroUsd ?? null],
    ],
  })
  return rowCount === 1
}

/**
 * Commits that an attempt whose job was lost is made once more, with its token, before its provider is called. False: the lease was
 * lost, so nobody may be called.
 */
export async function reopenAttempt(db: Queryable, task: LeasedTask, attempt: AttemptId): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'reopen-attempt',
    text: `update attempts a set state = 'starting', operation = null, accepted_at = null, ended_at = null from tasks t
           where a.id = $3 and a.task_id = t.id and a.state = 'lost' and t.id = $1 and t.fence = $2 and t.state = 'submitting'`,
    values: [uuidOf(task.id), task.fence, uuidOf(attempt)],
  })
  return rowCount === 1
}

/** Keeps what a start will need when it is repeated. False: the lease was lost, so nobody may be called. */
export async function keepForRepeat(
  db: Queryable,
  task: LeasedTask,
  { attempt, kept }: { readonly attempt: AttemptId; readonly kept: JsonObject },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'keep-for-repeat',
    text: `update attempts a set kept = $4 from tasks t
           where a.id = $3 and a.task_id = t.id and t.id = $1 and t.fence = $2 and t.state = 'submitting'`,
    values: [uuidOf(task.id), task.fence, uuidOf(attempt), kept],
  })
  return rowCount === 1
}

/** A job that a provider has accepted, and for which attempt. */
export interface Accepted {
  readonly attempt: AttemptId
  readonly operation: JsonObject
}

/**
 * Saves the accepted operation and makes the task `running`, together; it has `deadlineSeconds` from now. False: the lease was lost.
 * @throws DatabaseError `isJobOfAnother` where another attempt has that job.
 */
export async function saveOperation(
  db: Queryable,
  task: LeasedTask,
  accepted: Accepted & { readonly next: NextStep; readonly deadlineSeconds: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'save-operation',
    text: `with moved as (
             update tasks set state = 'running', updated_at = now(), unanswered_polls = 0,
               deadline_at = now() + make_interval(secs => $8), ${NEXT_STEP}
             where id = $1 and fence = $2 and state = any ($7) returning id
           )
           update attempts set state = 'accepted', operation = $6, accepted_at = now()
           from moved where attempts.id = $5 and attempts.task_id = moved.id`,
    values: [
      ...nextStepValues(task, accepted.next),
      uuidOf(accepted.attempt),
      accepted.operation,
      statesBefore('running'),
      accepted.deadlineSeconds,
    ],
  })
  return rowCount === 1
}

/**
 * Whether a job's operation is known to be this attempt's, whatever became of the task since: then it was saved, though the
 * answer to the save may have been lost; or an operator has named the job by its id alone.
 */
export async function isOperationSaved(db: Queryable, { attempt, operation }: Accepted): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-operation-saved',
    text: `select from attempts where id = $1 and (operation = $2 or operation ->> 'id' = $2::jsonb ->> 'id')`,
    values: [uuidOf(attempt), operation],
  })
  return rowCount === 1
}

/** Whether saving an operation failed because another attempt has that job of the provider's. */
export function isJobOfAnother(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.constraint === 'attempts_by_job'
}

/**
 * Saves the accepted operation of an attempt whose lease was lost, as long as nobody knows what came of it: a late answer
 * ends the doubt. The task is `running`, due at once, in nobody's hands, and has `deadlineSeconds` from now. False: the
 * attempt or the task has ended meanwhile. @throws as `saveOperation`.
 */
export async function saveLateOperation(
  db: Queryable,
  task: TaskId,
  accepted: Accepted & { readonly deadlineSeconds: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'save-late-operation',
    text: `with moved as (
             update tasks t set state = 'running', due_at = now(), deadline_at = now() + make_interval(secs => $4),
               parked_at = null, parked_because = null, parked_left = null,
               unanswered_polls = 0, fence = fence + 1, lease_owner = null, lease_until = null, updated_at = now()
             from attempts a
             where t.id = $1 and t.state = any ($5) and a.id = $2 and a.task_id = t.id and a.state in ('starting', 'uncertain')
             returning t.id
           )
           update attempts set state = 'accepted', operation = $3, accepted_at = now()
           from moved where attempts.id = $2 and attempts.task_id = moved.id`,
    values: [
      uuidOf(task),
      uuidOf(accepted.attempt),
      accepted.operation,
      accepted.deadlineSeconds,
      statesBefore('running'),
    ],
  })
  return rowCount === 1
}

/** For the operator. */
const ACCEPTED_TOO_LATE = 'the provider accepted the job after the task had ended, or had gone on without it'

/**
 * Notes on an attempt which job it began, when the task has ended or goes on without it: an operator finds the job by it on the
 * provider's bill. What became of the job stays as uncertain as it was. False: it has an operation, or there is no such attempt.
 */
export async function keepUnwantedOperation(db: Queryable, { attempt, operation }: Accepted): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'keep-unwanted-operation',
    text: `update attempts set operation = $2, accepted_at = now(), ended_at = coalesce(ended_at, now()), error = $3
           where id = $1 and operation is null`,
    values: [uuidOf(attempt), operation, ACCEPTED_TOO_LATE],
  })
  return rowCount === 1
}

/** Writes down how an attempt ended that left the task open, and when the task is to be looked at again. */
export async function endAttempt(
  db: Queryable,
  task: LeasedTask,
  ended: {
    readonly attempt: AttemptId
    readonly state: 'starting' | 'rejected' | 'undelivered'
    readonly because?: RejectionCause
    readonly error: string
    readonly next: NextStep
  },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'end-attempt',
    text: `with kept as (
             update tasks set ${NEXT_STEP},
               unanswered_polls = case when $6 = 'starting' then unanswered_polls + 1 else unanswered_polls end
             where id = $1 and fence = $2 returning id
           )
           update attempts set state = $6, error = $7, because = $8,
             ended_at = case when $6 in ('rejected', 'undelivered') then now() end
           from kept where attempts.id = $5 and attempts.task_id = kept.id`,
    values: [
      ...nextStepValues(task, ended.next),
      uuidOf(ended.attempt),
      ended.state,
      storable(ended.error),
      ended.because ?? null,
    ],
  })
  return rowCount === 1
}

/**
 * Writes down that nobody knows whether an attempt arrived. The hold stays, and nobody looks at the task again before
 * `seconds` are over or an operator resolves it.
 */
export async function parkUncertain(
  db: Queryable,
  task: LeasedTask,
  parked: { readonly attempt: AttemptId; readonly error: string; readonly seconds: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'park-uncertain',
    text: `with kept as (
             update tasks set deadline_at = now() + make_interval(secs => $5), lease_owner = null, lease_until = null,
               due_at = case when cancel_requested_at is not null then now() else now() + make_interval(secs => $5) end
             where id = $1 and fence = $2 returning id
           )
           update attempts set state = 'uncertain', error = $4
           from kept where attempts.id = $3 and attempts.task_id = kept.id`,
    values: [uuidOf(task.id), task.fence, uuidOf(parked.attempt), storable(parked.error), parked.seconds],
  })
  return rowCount === 1
}

/** Providers that have been called for a task. */
export interface TriedProviders {
  /** Those that never take it. */
  readonly refused: ReadonlySet<string>
  /** Those that were called a short while ago, whatever they said. */
  readonly recent: ReadonlySet<string>
}

export async function selectTriedProviders(db: Queryable, task: TaskId): Promise<TriedProviders> {
  const { rows } = await db.query<{ provider: string; refused: boolean; recent: boolean }>({
    name: 'select-tried-providers',
    text: `select provider, coalesce(bool_or(because in ('request', 'configuration', 'result')), false) as refused,
             bool_or(started_at > now() - $2::interval) as recent
           from attempts where task_id = $1 group by provider`,
    values: [uuidOf(task), JUST_TRIED],
  })
  const named = (tried: typeof rows) => new Set(tried.map(({ provider }) => provider))
  return { refused: named(rows.filter((row) => row.refused)), recent: named(rows.filter((row) => row.recent)) }
}

/** So long a provider that was tried is not tried again in turn: two that are busy are not asked back and forth. */
const JUST_TRIED = '1 minute'

/** An attempt whose task may be given to another provider: no job of it runs. */
export interface OverAttempt {
  readonly attempt: AttemptId
  /** `failed`: the provider finished without what was asked for. `lost`: it took the job, and knows it no more. */
  readonly state: 'rejected' | 'undelivered' | 'failed' | 'lost'
  readonly because?: RejectionCause | 'result'
  /** For the operator. */
  readonly error: string
}

/** An attempt that surely began nothing. */
export interface UnstartedAttempt extends OverAttempt {
  readonly state: 'rejected' | 'undelivered'
  readonly because?: RejectionCause
}

/**
 * Puts a task that no provider works on into the queue of one, where its age gives it its place. `ended` is the attempt that
 * this ends, if it does. False: the lease was lost, or it is to be canceled.
 */
export async function requeueTask(
  db: Queryable,
  task: LeasedTask,
  { provider, ended }: { readonly provider: string; readonly ended: OverAttempt | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'requeue-task',
    text: `with moved as (
             update tasks set state = 'queued', provider = $7, fence = fence + 1, lease_owner = null, lease_until = null,
               due_at = now(), deadline_at = greatest(created_at + make_interval(secs => $9), now() + $10::interval),
               updated_at = now(), progress = 0, unanswered_polls = 0, gone_polls = 0, collect_faults = 0, holds_slot = true,
               lost_jobs = lost_jobs + (coalesce($4, '') = 'lost')::integer
             where id = $1 and fence = $2 and state = any ($8) and cancel_requested_at is null returning id
           ), ended as (
             update attempts set state = $4, error = $5, because = $6, ended_at = now()
             from moved where attempts.id = $3 and attempts.task_id = moved.id
           )
           select from moved`,
    values: [
      uuidOf(task.id),
      task.fence,
      ended === undefined ? null : uuidOf(ended.attempt),
      ended?.state ?? null,
      ended === undefined ? null : storable(ended.error),
      ended?.because ?? null,
      provider,
      statesBefore('queued'),
      QUEUE_DEADLINE_SECONDS,
      LEAST_QUEUE_TIME,
    ],
  })
  return rowCount === 1
}

/** A task that comes back to a queue may wait there for so long, however old it is. */
const LEAST_QUEUE_TIME = '1 hour'
