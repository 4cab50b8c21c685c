/** Statements for the operator: what became of a task at which provider, and what to do when nobody knows. */
import type { FailureReason } from '../canonical/failure.ts'
import { type AttemptId, idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { AttemptState } from './lease-queries.ts'

/** One time that a provider was, or was about to be, asked. */
export interface AttemptRecord {
  readonly id: AttemptId
  readonly number: number
  readonly provider: string
  readonly state: AttemptState
  /** The upstream's ids among it. */
  readonly operation: JsonObject | undefined
  /** Of a rejected one. */
  readonly because: string | undefined
  readonly error: string | undefined
  /** Millionths of a US dollar; `undefined` is unknown, which is not 0. */
  readonly costMicroUsd: bigint | undefined
  readonly startedAt: Date
  readonly acceptedAt: Date | undefined
  readonly endedAt: Date | undefined
}

interface AttemptRow extends Record<string, unknown> {
  id: string
  number: number
  provider: string
  state: AttemptState
  operation: JsonObject | null
  because: string | null
  error: string | null
  cost_micro_usd: bigint | null
  started_at: Date
  accepted_at: Date | null
  ended_at: Date | null
}

/** All attempts at a task, the first one first. */
export async function selectAttempts(db: Queryable, task: TaskId): Promise<AttemptRecord[]> {
  const { rows } = await db.query<AttemptRow>(
    `select id, number, provider, state, operation, because, error, cost_micro_usd, started_at, accepted_at, ended_at
     from attempts where task_id = $1 order by number`,
    [uuidOf(task)],
  )
  return rows.map((row) => ({
    id: idOf('att', row.id),
    number: row.number,
    provider: row.provider,
    state: row.state,
    operation: row.operation ?? undefined,
    because: row.because ?? undefined,
    error: row.error ?? undefined,
    costMicroUsd: row.cost_micro_usd ?? undefined,
    startedAt: row.started_at,
    acceptedAt: row.accepted_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  }))
}

/**
 * Queued tasks that a live worker should have ended by their deadline and could not, the oldest first. None where no worker
 * is alive.
 */
export async function selectOverdue(db: Queryable, limit: number): Promise<TaskId[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from tasks where state = 'queued' and deadline_at < now() - interval '10 minutes'
       and exists (select from workers where started_at < now() - interval '10 minutes' and seen_at > now() - interval '1 minute')
     order by deadline_at limit $1`,
    [limit],
  )
  return rows.map(({ id }) => idOf('task', id))
}

/** A task whose last attempt may have begun a job that nobody knows. */
export interface UncertainTask {
  readonly task: TaskId
  readonly attempt: AttemptId
  readonly provider: string
  readonly state: TaskState
  readonly heldCredits: bigint
  readonly cause: string
  readonly startedAt: Date
  /** When it is given up by itself; `undefined` while it is parked. */
  readonly endsAt: Date | undefined
}

/** Open tasks with an uncertain attempt, the oldest first. */
export async function selectUncertain(db: Queryable, limit: number): Promise<UncertainTask[]> {
  const { rows } = await db.query<{
    task_id: string
    id: string
    provider: string
    state: TaskState
    price_credits: bigint
    error: string | null
    started_at: Date
    ends_at: Date | null
  }>(
    `select a.task_id, a.id, a.provider, t.state, t.price_credits, a.error, a.started_at,
       case when t.parked_at is null then t.deadline_at end as ends_at
     from attempts a join tasks t on t.id = a.task_id
     where a.state = 'uncertain' and t.state = 'submitting' order by a.started_at limit $1`,
    [limit],
  )
  return rows.map((row) => ({
    task: idOf('task', row.task_id),
    attempt: idOf('att', row.id),
    provider: row.provider,
    state: row.state,
    heldCredits: row.price_credits,
    cause: row.error ?? '',
    startedAt: row.started_at,
    endsAt: row.ends_at ?? undefined,
  }))
}

/** The other task that has, or had, the job that an operation names, at the provider of an uncertain task. */
export async function selectTaskOfJob(
  db: Queryable,
  task: TaskId,
  { id }: { readonly id: string },
): Promise<TaskId | undefined> {
  const { rows } = await db.query<{ task_id: string }>(
    `select other.task_id from attempts a join attempts other using (provider)
     where a.task_id = $1 and a.state = 'uncertain' and other.task_id <> $1 and other.operation ->> 'id' = $2
       and other.state in ('accepted', 'succeeded') limit 1`,
    [uuidOf(task), id],
  )
  return rows[0] === undefined ? undefined : idOf('task', rows[0].task_id)
}

/** What an operator says of a task that a restore had parked ends that, too. */
const UNPARKED = 'parked_at = null, parked_because = null, parked_left = null'

/** The job never began: the task is handed to its provider again, as a new attempt, and has `deadlineSeconds` from now. */
export async function resolveAsUndelivered(db: Queryable, task: TaskId, deadlineSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `with freed as (
       update tasks t set ${UNPARKED}, due_at = now(), deadline_at = now() + make_interval(secs => $2), fence = fence + 1, lease_owner = null,
         lease_until = null, updated_at = now()
       from attempts a
       where t.id = $1 and t.state = 'submitting' and a.task_id = t.id and a.state = 'uncertain' returning t.id
     )
     update attempts set state = 'undelivered', ended_at = now() from freed
     where attempts.task_id = freed.id and attempts.state = 'uncertain'`,
    [uuidOf(task), deadlineSeconds],
  )
  return rowCount === 1
}

/**
 * The job began: it is followed from now on by its operation, which has the upstream's id of it, with the key that the attempt
 * was made with unless the operation names another, for `deadlineSeconds`.
 */
export async function resolveAsAccepted(
  db: Queryable,
  task: TaskId,
  { operation, deadlineSeconds }: { readonly operation: JsonObject; readonly deadlineSeconds: number },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `with freed as (
       update tasks t set ${UNPARKED}, state = 'running', due_at = now(), deadline_at = now() + make_interval(secs => $3), fence = fence + 1,
         lease_owner = null, lease_until = null, updated_at = now()
       from attempts a
       where t.id = $1 and t.state = 'submitting' and a.task_id = t.id and a.state = 'uncertain' returning t.id
     )
     update attempts set state = 'accepted', accepted_at = now(),
       operation = jsonb_build_object('credential', credential) || $2::jsonb
     from freed where attempts.task_id = freed.id and attempts.state = 'uncertain'`,
    [uuidOf(task), operation, deadlineSeconds],
  )
  return rowCount === 1
}

/** The task is given up: it fails, and its credits return. The attempt goes on saying that nobody knows. */
export async function resolveAsFailed(db: Queryable, task: TaskId): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from attempts a,
       lateral settle_task(a.task_id, null, array['submitting'], 'failed', 0, $2, $3, '[]')
     where a.task_id = $1 and a.state = 'uncertain'`,
    [uuidOf(task), 'provider_unavailable' satisfies FailureReason, 'The provider did not answer.'],
  )
  return rowCount === 1
}
