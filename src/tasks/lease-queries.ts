/**
 * Statements of the workers. A worker owns a task while it holds its lease; each statement names the fencing token of
 * that lease, and one that finds another token changes nothing and says so. All times are the database's: a worker with
 * a wrong clock does no harm.
 */
import type { FailureReason } from '../canonical/failure.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { type AttemptId, idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { TaskState, TerminalState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { MediaRecord } from '../media/ingest.ts'
import { IDEMPOTENCY_KEY_LIFETIME } from './queries.ts'
import { statesBefore } from './states.ts'

export type AttemptState =
  | 'starting'
  | 'accepted'
  | 'rejected'
  | 'undelivered'
  | 'uncertain'
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'expired'

/** The latest time that a provider was, or was about to be, asked for a task. */
export interface Attempt {
  readonly id: AttemptId
  readonly number: number
  readonly state: AttemptState
  readonly operation: JsonObject | undefined
}

/** A task in the hands of a worker. */
export interface LeasedTask {
  readonly id: TaskId
  readonly fence: bigint
  readonly state: TaskState
  readonly provider: string
  readonly request: GenerationRequest
  readonly priceCredits: bigint
  /** The plan's days for results, in seconds, is looked up when it is stored. */
  readonly plan: string
  readonly cancelRequested: boolean
  /** Its deadline has passed by the database's clock. */
  readonly overdue: boolean
  readonly unansweredPolls: number
  readonly attempt: Attempt | undefined
}

interface LeasedRow extends Record<string, unknown> {
  id: string
  fence: bigint
  state: TaskState
  provider: string
  request: GenerationRequest
  price_credits: bigint
  plan: string
  cancel_requested: boolean
  overdue: boolean
  unanswered_polls: number
  attempt_id: string | null
  attempt_number: number | null
  attempt_state: AttemptState | null
  operation: JsonObject | null
}

/** Completes leased rows (`leased`) with what a step needs to know. */
const LEASED_COLUMNS = `
  select l.id, l.fence, l.state, l.provider, l.request, l.price_credits, a.plan,
    l.cancel_requested_at is not null as cancel_requested, l.deadline_at <= now() as overdue, l.unanswered_polls,
    last.id as attempt_id, last.number as attempt_number, last.state as attempt_state, last.operation
  from leased l
  join wallets w on w.id = l.wallet_id
  join accounts a on a.id = w.account_id
  left join lateral (
    select id, number, state, operation from attempts where task_id = l.id order by number desc limit 1
  ) last on true`

export interface LeaseOptions {
  readonly provider: string
  readonly worker: string
  readonly limit: number
  readonly leaseMs: number
}

export interface AdmitOptions extends LeaseOptions {
  /** The provider's jobs at once: of all workers together, or of each where jobs run inside the worker. */
  readonly concurrency: number
  readonly affinity: 'any' | 'worker'
  readonly planLimits: Readonly<Record<string, number>>
  readonly deadlineMs: number
}

/** Admits queued tasks to a provider's free slots, fairly and within the plans' limits, and leases them. */
export async function admitTasks(db: Queryable, options: AdmitOptions): Promise<LeasedTask[]> {
  const { rows } = await db.query<LeasedRow>({
    name: 'admit-tasks',
    text: `with leased as (
             select * from admit_tasks($1, $2, $3, $4, $5, $6,
               make_interval(secs => $7::float8 / 1000), make_interval(secs => $8::float8 / 1000))
           ) ${LEASED_COLUMNS}`,
    values: [
      options.provider,
      options.limit,
      options.concurrency,
      options.affinity === 'worker',
      JSON.stringify(options.planLimits),
      options.worker,
      options.leaseMs,
      options.deadlineMs,
    ],
  })
  return rows.map(leasedTaskOf)
}

/**
 * Leases tasks whose next step is due. A lease that has run out, or is this worker's own, may be taken; rows that
 * another worker is taking at this moment are skipped, not waited for.
 */
export async function claimDueTasks(db: Queryable, options: LeaseOptions): Promise<LeasedTask[]> {
  const { rows } = await db.query<LeasedRow>({
    name: 'claim-due-tasks',
    text: `with leased as (
             update tasks set fence = fence + 1, lease_owner = $2,
               lease_until = now() + make_interval(secs => $4::float8 / 1000),
               due_at = now() + make_interval(secs => $4::float8 / 1000)
             where id in (
               select id from tasks
               where provider = $1 and state in ('submitting', 'running', 'collecting') and due_at <= now()
                 and (lease_until is null or lease_until <= now() or lease_owner = $2)
               order by due_at limit $3 for update skip locked
             )
             returning *
           ) ${LEASED_COLUMNS}`,
    values: [options.provider, options.worker, options.limit, options.leaseMs],
  })
  return rows.map(leasedTaskOf)
}

/** Keeps the lease of a step that takes long. False: the lease was lost. */
export async function renewLease(db: Queryable, task: LeasedTask, leaseMs: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'renew-lease',
    text: `update tasks set lease_until = now() + make_interval(secs => $3::float8 / 1000),
             due_at = now() + make_interval(secs => $3::float8 / 1000)
           where id = $1 and fence = $2 and lease_owner is not null`,
    values: [uuidOf(task.id), task.fence, leaseMs],
  })
  return rowCount === 1
}

/** Tasks under way at a provider: those that hold one of its slots. For one worker's own slots name the worker. */
export async function countActive(db: Queryable, provider: string, worker: string | undefined): Promise<number> {
  const { rows } = await db.query<{ active: number }>({
    name: 'count-active',
    text: `select count(*)::integer as active from tasks
           where provider = $1 and state in ('submitting', 'running', 'collecting')
             and ($2::text is null or lease_owner = $2)`,
    values: [provider, worker ?? null],
  })
  return rows[0]?.active ?? 0
}

/** Commits a new attempt before its provider is called. False: the lease was lost, so nobody may be called. */
export async function insertAttempt(
  db: Queryable,
  task: LeasedTask,
  attempt: { readonly id: AttemptId; readonly number: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'insert-attempt',
    text: `insert into attempts (id, task_id, number, provider)
           select $3, t.id, $4, t.provider from tasks t
           where t.id = $1 and t.fence = $2 and t.state = 'submitting' for update`,
    values: [uuidOf(task.id), task.fence, uuidOf(attempt.id), attempt.number],
  })
  return rowCount === 1
}

/** Saves the accepted operation and makes the task `running`, together. False: the lease was lost. */
export async function saveOperation(
  db: Queryable,
  task: LeasedTask,
  accepted: { readonly attempt: AttemptId; readonly operation: JsonObject; readonly next: NextStep },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'save-operation',
    text: `with moved as (
             update tasks set state = 'running', updated_at = now(), unanswered_polls = 0, ${NEXT_STEP}
             where id = $1 and fence = $2 and state = any ($7) returning id
           )
           update attempts set state = 'accepted', operation = $6, accepted_at = now()
           from moved where attempts.id = $5 and attempts.task_id = moved.id`,
    values: [
      ...nextStepValues(task, accepted.next),
      uuidOf(accepted.attempt),
      accepted.operation,
      statesBefore('running'),
    ],
  })
  return rowCount === 1
}

/** Writes down how an attempt ended that left the task open, and when the task is to be looked at again. */
export async function endAttempt(
  db: Queryable,
  task: LeasedTask,
  ended: {
    readonly attempt: AttemptId
    readonly state: 'starting' | 'rejected' | 'undelivered' | 'uncertain'
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
           update attempts set state = $6, error = $7,
             ended_at = case when $6 in ('rejected', 'undelivered') then now() end
           from kept where attempts.id = $5 and attempts.task_id = kept.id`,
    values: [...nextStepValues(task, ended.next), uuidOf(ended.attempt), ended.state, storable(ended.error)],
  })
  return rowCount === 1
}

/** After a poll: progress, which never goes back, and the next step. `answered` resets the count of unanswered polls. */
export async function savePoll(
  db: Queryable,
  task: LeasedTask,
  poll: { readonly progress: number; readonly answered: boolean; readonly next: NextStep },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'save-poll',
    text: `update tasks set ${NEXT_STEP},
             updated_at = case when $5 > progress then now() else updated_at end,
             progress = greatest(progress, $5::smallint),
             unanswered_polls = case when $6 then 0 else unanswered_polls + 1 end
           where id = $1 and fence = $2`,
    values: [...nextStepValues(task, poll.next), poll.progress, poll.answered],
  })
  return rowCount === 1
}

/** The provider is done: the task is `collecting`, still in the same worker's hands. */
export async function markCollecting(db: Queryable, task: LeasedTask): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'mark-collecting',
    text: `update tasks set state = 'collecting', progress = greatest(progress, 99::smallint), updated_at = now()
           where id = $1 and fence = $2 and state = any ($3)`,
    values: [uuidOf(task.id), task.fence, statesBefore('collecting')],
  })
  return rowCount === 1
}

/** How a task ends. Only success captures credits; what is not captured is released. */
export type Settlement =
  | { readonly state: 'succeeded'; readonly captureCredits: bigint; readonly media: readonly MediaRecord[] }
  | {
      readonly state: 'failed'
      readonly reason: FailureReason
      readonly message: string
      /** The provider refused to begin; without it, it began and failed. */
      readonly attempt?: 'rejected'
    }
  | { readonly state: 'canceled' | 'expired' }

/** Ends a task and settles its hold in one transaction. False: another settlement won, or the lease was lost. */
export async function settleTask(db: Queryable, task: LeasedTask, end: Settlement): Promise<boolean> {
  const target: TerminalState = end.state
  const { rowCount } = await db.query({
    name: 'settle-task',
    text: 'select from settle_task($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [
      uuidOf(task.id),
      task.fence,
      statesBefore(target),
      target,
      end.state === 'succeeded' ? end.captureCredits : 0n,
      end.state === 'failed' ? end.reason : null,
      end.state === 'failed' ? storable(end.message) : null,
      JSON.stringify(end.state === 'succeeded' ? end.media : []),
      (end.state === 'failed' ? end.attempt : undefined) ?? null,
    ],
  })
  return rowCount === 1
}

/** Where a task stands now, whoever holds it. */
export async function selectState(db: Queryable, id: TaskId): Promise<TaskState | undefined> {
  const { rows } = await db.query<{ state: TaskState }>('select state from tasks where id = $1', [uuidOf(id)])
  return rows[0]?.state
}

/**
 * Expires tasks that waited in the queue past their deadline, oldest first. Returns how many. It takes their wallets in
 * the order in which creates take them, and no task that somebody else is ending, so that nobody waits in a circle.
 */
export async function expireQueued(db: Queryable, limit: number): Promise<number> {
  const { rows } = await db.query<{ expired: number }>({
    name: 'expire-queued',
    text: `with late as materialized (
             select id, wallet_id from tasks where state = 'queued' and deadline_at <= now()
             order by deadline_at limit $1 for update skip locked
           )
           select count(*)::integer as expired
           from (select id from late order by wallet_id) task,
             lateral settle_task(task.id, null, array['queued'], 'expired', 0, null, null, '[]')`,
    values: [limit],
  })
  return rows[0]?.expired ?? 0
}

/** A lane ends its overdue tasks within one lease. Past this nobody drives them: their provider is configured no more. */
const ABANDONED_AFTER = '10 minutes'

/** Expires tasks that are with a provider, past their deadline, and in nobody's hands. Returns which. */
export async function expireAbandoned(db: Queryable, limit: number): Promise<TaskId[]> {
  const { rows } = await db.query<{ id: string }>({
    name: 'expire-abandoned',
    text: `with late as materialized (
             select id, wallet_id from tasks
             where state in ('submitting', 'running', 'collecting') and deadline_at <= now() - $2::interval
               and (lease_until is null or lease_until <= now())
             order by deadline_at limit $1 for update skip locked
           )
           select ended.id
           from (select id from late order by wallet_id) task,
             lateral settle_task(task.id, null, $3, 'expired', 0, null, null, '[]') ended`,
    values: [limit, ABANDONED_AFTER, statesBefore('expired')],
  })
  return rows.map(({ id }) => idOf('task', id))
}

/** Forgets idempotency keys past their lifetime. */
export async function deleteOldIdempotencyKeys(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from idempotency_keys where (wallet_id, key) in (
       select wallet_id, key from idempotency_keys where created_at <= now() - $2::interval limit $1)`,
    [limit, IDEMPOTENCY_KEY_LIFETIME],
  )
  return rowCount ?? 0
}

/** Frees the leases of a worker whose process is known to be gone: its tasks are due at once. */
export async function releaseLeases(db: Queryable, worker: string): Promise<number> {
  const { rowCount } = await db.query(
    `update tasks set fence = fence + 1, lease_owner = null, lease_until = null, due_at = now()
     where lease_owner = $1 and state in ('submitting', 'running', 'collecting')`,
    [worker],
  )
  return rowCount ?? 0
}

/** An upstream's text as PostgreSQL can store it: without NUL. What it says must not keep a task from ending. */
function storable(text: string): string {
  return text.replaceAll('\0', '')
}

/** When a task is to be looked at again, and whether this worker keeps its lease until then. */
export interface NextStep {
  /** Milliseconds from now, by the database's clock; `deadline` parks the task until its deadline. */
  readonly inMs: number | 'deadline'
  /** Milliseconds for which the lease is kept beyond that step's time; `undefined` gives it back. */
  readonly keepLeaseMs: number | undefined
}

/**
 * $1 id, $2 fence, $3 ms until due (null: the deadline), $4 ms of lease kept beyond that (null: given back). Once it is
 * too late to cancel, a request to do so no longer hurries the task.
 */
const NEXT_STEP = `
  due_at = case when cancel_requested_at is not null and state in ('submitting', 'running') then now()
                when $3::float8 is null then deadline_at
                else least(now() + make_interval(secs => $3::float8 / 1000), deadline_at) end,
  lease_owner = case when $4::float8 is null then null else lease_owner end,
  lease_until = now() + make_interval(secs => (coalesce($3::float8, 0) + $4::float8) / 1000)`

function nextStepValues(task: LeasedTask, next: NextStep): [string, bigint, number | null, number | null] {
  return [uuidOf(task.id), task.fence, next.inMs === 'deadline' ? null : next.inMs, next.keepLeaseMs ?? null]
}

function leasedTaskOf(row: LeasedRow): LeasedTask {
  return {
    id: idOf('task', row.id),
    fence: row.fence,
    state: row.state,
    provider: row.provider,
    request: row.request,
    priceCredits: row.price_credits,
    plan: row.plan,
    cancelRequested: row.cancel_requested,
    overdue: row.overdue,
    unansweredPolls: row.unanswered_polls,
    attempt:
      row.attempt_id === null || row.attempt_number === null || row.attempt_state === null
        ? undefined
        : {
            id: idOf('att', row.attempt_id),
            number: row.attempt_number,
            state: row.attempt_state,
            operation: row.operation ?? undefined,
          },
  }
}
