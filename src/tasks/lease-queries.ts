/**
 * Statements of the workers. A worker owns a task while it holds its lease; each statement names the fencing token of
 * that lease, and one that finds another token changes nothing and says so. All times are the database's: a worker with
 * a wrong clock does no harm.
 */
import pg from 'pg'
import type { FailureReason } from '../canonical/failure.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { type AttemptId, idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { TaskState, TerminalState } from '../canonical/task-state.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import type { MediaRecord } from '../media/ingest.ts'
import type { RejectionCause } from '../providers/provider.ts'
import { HINT_PAUSE } from './hint-queries.ts'
import { IDEMPOTENCY_KEY_LIFETIME, QUEUE_DEADLINE_SECONDS } from './queries.ts'
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
  /** Names the provider's key that it was made with. */
  readonly credential: string | undefined
  readonly operation: JsonObject | undefined
  /** What its start keeps for a repeat. */
  readonly kept: JsonObject | undefined
}

/** A task in the hands of a worker. */
export interface LeasedTask {
  readonly id: TaskId
  readonly fence: bigint
  readonly state: TaskState
  readonly provider: string
  /** Whose credits pay: test credits reach no provider that costs anything. */
  readonly mode: WalletMode
  readonly request: GenerationRequest
  readonly priceCredits: bigint
  /** The plan's days for results, in seconds, is looked up when it is stored. */
  readonly plan: string
  readonly cancelRequested: boolean
  /** Milliseconds until its deadline by the database's clock; negative once it has passed. */
  readonly leftMs: number
  readonly unansweredPolls: number
  /** Polls in a row to which the provider said that it does not know the job. */
  readonly gonePolls: number
  /** Milliseconds since a provider got a slot for it. */
  readonly ageMs: number
  /** Milliseconds by which its step was taken up after it was due; absent where nobody waited for it. */
  readonly lateMs?: number
  readonly attempt: Attempt | undefined
}

interface LeasedRow extends Record<string, unknown> {
  id: string
  fence: bigint
  state: TaskState
  provider: string
  mode: WalletMode
  request: GenerationRequest
  price_credits: bigint
  plan: string
  cancel_requested: boolean
  left_ms: number
  unanswered_polls: number
  gone_polls: number
  age_ms: number
  attempt_id: string | null
  attempt_number: number | null
  attempt_state: AttemptState | null
  credential: string | null
  operation: JsonObject | null
  kept: JsonObject | null
}

/** Completes leased rows (`leased`) with what a step needs to know. */
const LEASED_COLUMNS = `
  select l.id, l.fence, l.state, l.provider, w.mode, l.request, l.price_credits, a.plan,
    l.cancel_requested_at is not null as cancel_requested, l.unanswered_polls, l.gone_polls,
    (extract(epoch from l.deadline_at - now()) * 1000)::float8 as left_ms,
    (extract(epoch from now() - coalesce(l.started_at, l.created_at)) * 1000)::float8 as age_ms,
    last.id as attempt_id, last.number as attempt_number, last.state as attempt_state, last.credential, last.operation, last.kept
  from leased l
  join wallets w on w.id = l.wallet_id
  join accounts a on a.id = w.account_id
  left join lateral last_attempt(l.id) last on true`

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
 * Leases tasks whose next step is due: at most `limit` that are asked after, and `startsLimit` that are to be started. A
 * lease that has run out, or is this worker's own, may be taken; rows that another worker is taking at this moment are
 * skipped, not waited for.
 */
export async function claimDueTasks(
  db: Queryable,
  { startsLimit, ...options }: LeaseOptions & { readonly startsLimit?: number },
): Promise<(LeasedTask & { readonly lateMs: number })[]> {
  const { rows } = await db.query<LeasedRow & { late_ms: number }>({
    name: 'claim-due-tasks',
    text: `with starts as materialized (
             select id, due_at from tasks where state = 'submitting' and ${IS_DUE}
             order by due_at limit $5 for update skip locked
           ), others as materialized (
             select id, due_at from tasks where state in ('running', 'collecting') and ${IS_DUE}
             order by due_at limit $3 for update skip locked
           ), leased as (
             update tasks set fence = fence + 1, lease_owner = $2,
               lease_until = now() + make_interval(secs => $4::float8 / 1000),
               due_at = now() + make_interval(secs => $4::float8 / 1000)
             from (select * from starts union all select * from others) due where tasks.id = due.id
             returning tasks.*, (extract(epoch from now() - due.due_at) * 1000)::float8 as late_ms
           ) ${LEASED_COLUMNS.replace('select ', 'select l.late_ms, ')}`,
    values: [options.provider, options.worker, options.limit, options.leaseMs, startsLimit ?? options.limit],
  })
  return rows.map((row) => ({ ...leasedTaskOf(row), lateMs: row.late_ms }))
}

/** $1 provider, $2 worker. */
const IS_DUE = `provider = $1 and due_at <= now() and (lease_until is null or lease_until <= now() or lease_owner = $2)`

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

/**
 * Tasks under way at a provider: those that hold one of its slots. For one worker's own slots name the worker.
 * `undefined` if nothing waits for a slot: then nobody needs to know, and counting ten thousand rows is not free.
 */
export async function countActive(
  db: Queryable,
  provider: string,
  worker: string | undefined,
): Promise<number | undefined> {
  const { rows } = await db.query<{ active: number | null }>({
    name: 'count-active',
    text: `select case when exists (select from tasks where provider = $1 and state = 'queued') then (
             select count(*)::integer from tasks
             where provider = $1 and state in ('submitting', 'running', 'collecting')
               and ($2::text is null or lease_owner = $2)) end as active`,
    values: [provider, worker ?? null],
  })
  return rows[0]?.active ?? undefined
}

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
 * Saves the accepted operation and makes the task `running`, together. False: the lease was lost.
 * @throws DatabaseError `isJobOfAnother` where another attempt has that job.
 */
export async function saveOperation(
  db: Queryable,
  task: LeasedTask,
  accepted: Accepted & { readonly next: NextStep },
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

/**
 * Whether a job's operation is known to be this attempt's, whatever became of the task since: then it was saved, though the
 * answer to the save may have been lost.
 */
export async function isOperationSaved(db: Queryable, { attempt, operation }: Accepted): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-operation-saved',
    text: 'select from attempts where id = $1 and operation = $2',
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
    text: `select provider, coalesce(bool_or(because = 'request'), false) as refused,
             bool_or(started_at > now() - $2::interval) as recent
           from attempts where task_id = $1 group by provider`,
    values: [uuidOf(task), JUST_TRIED],
  })
  const named = (tried: typeof rows) => new Set(tried.map(({ provider }) => provider))
  return { refused: named(rows.filter((row) => row.refused)), recent: named(rows.filter((row) => row.recent)) }
}

/** So long a provider that was tried is not tried again in turn: two that are busy are not asked back and forth. */
const JUST_TRIED = '1 minute'

/** Gives a task back whose provider is not asked now, until it is to be looked at again. False: the lease was lost. */
export async function postponeTask(db: Queryable, task: LeasedTask, next: NextStep): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'postpone-task',
    text: `update tasks set ${NEXT_STEP} where id = $1 and fence = $2`,
    values: nextStepValues(task, next),
  })
  return rowCount === 1
}

/** An attempt that surely began nothing. */
export interface UnstartedAttempt {
  readonly attempt: AttemptId
  readonly state: 'rejected' | 'undelivered'
  readonly because?: RejectionCause
  /** For the operator. */
  readonly error: string
}

/**
 * Puts a task whose provider surely began nothing into the queue of another one, where its age gives it its place. `ended`
 * is the attempt that this ends, if it does. False: the lease was lost, or it is to be canceled.
 */
export async function requeueTask(
  db: Queryable,
  task: LeasedTask,
  { provider, ended }: { readonly provider: string; readonly ended: UnstartedAttempt | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'requeue-task',
    text: `with moved as (
             update tasks set state = 'queued', provider = $7, fence = fence + 1, lease_owner = null, lease_until = null,
               due_at = now(), deadline_at = created_at + make_interval(secs => $9), unanswered_polls = 0, updated_at = now()
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
    ],
  })
  return rowCount === 1
}

/** A task that waits for a provider. */
export interface QueuedTask {
  readonly id: TaskId
  readonly mode: WalletMode
  readonly request: GenerationRequest
  /** Providers that never take it. */
  readonly refusedBy: readonly string[]
}

/** Some of the tasks that wait for a provider, of every wallet: any, so that none stands before all others. */
export async function sampleQueued(db: Queryable, provider: string, limit: number): Promise<QueuedTask[]> {
  const { rows } = await db.query<{ id: string; mode: WalletMode; request: GenerationRequest; refused_by: string[] }>({
    name: 'sample-queued',
    text: `select t.id, w.mode, t.request,
             array(select a.provider from attempts a where a.task_id = t.id and a.because = 'request') as refused_by
           from (select * from tasks where provider = $1 and state = 'queued' order by random() limit $2) t
           join wallets w on w.id = t.wallet_id`,
    values: [provider, limit],
  })
  return rows.map(({ id, refused_by, ...row }) => ({ id: idOf('task', id), refusedBy: refused_by, ...row }))
}

/** Moves tasks that still wait for `from` to the queues of other providers. Returns how many. */
export async function moveQueued(
  db: Queryable,
  from: string,
  moves: readonly { readonly id: TaskId; readonly provider: string }[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'move-queued',
    // Whoever moves or admits them at this moment has them locked, and is not waited for.
    text: `with free as materialized (
             select id from tasks where id = any ($2::uuid[]) and provider = $1 and state = 'queued'
             order by id for update skip locked
           )
           update tasks t set provider = m.provider, updated_at = now()
           from free join unnest($2::uuid[], $3::text[]) as m (id, provider) using (id) where t.id = free.id`,
    values: [from, moves.map(({ id }) => uuidOf(id)), moves.map(({ provider }) => provider)],
  })
  return rowCount ?? 0
}

/** What a poll came to that left its task open. */
export interface SavedPoll {
  readonly task: LeasedTask
  /** 0–99; it never goes back. */
  readonly progress: number
  /** Resets the count of unanswered polls. */
  readonly answered: boolean
  /** The provider answered that it does not know the job. */
  readonly isGone?: boolean
  readonly next: NextStep
}

/**
 * Writes down many polls in one statement, each for itself: under the fencing token of its own lease. Returns the tasks of
 * those that counted; the leases of the others were lost.
 */
export async function savePolls(db: Queryable, polls: readonly SavedPoll[]): Promise<ReadonlySet<TaskId>> {
  // Everybody who locks several rows by their ids takes them in one order, so that nobody waits in a circle.
  const sorted = [...polls].sort((one, other) => (one.task.id < other.task.id ? -1 : 1))
  const steps = sorted.map(({ task, next }) => nextStepValues(task, next))
  const { rows } = await db.query<{ id: string }>({
    name: 'save-polls',
    // Not waited for until it is on the disk: a crash of the database that loses it costs a poll, which is made again. A claim
    // is waited for, and with it all that was committed before.
    text: `with relaxed as materialized (select set_config('synchronous_commit', 'off', true))
           update tasks set ${nextStep('polled.in_ms', 'polled.keep_ms')},
             updated_at = case when polled.reached > progress then now() else updated_at end,
             progress = greatest(progress, polled.reached),
             unanswered_polls = case when polled.answered then 0 else unanswered_polls + 1 end,
             gone_polls = case when polled.is_gone then gone_polls + 1 when polled.answered then 0 else gone_polls end
           from unnest($1::uuid[], $2::bigint[], $3::float8[], $4::float8[], $5::smallint[], $6::boolean[], $7::boolean[])
             as polled (id, fence, in_ms, keep_ms, reached, answered, is_gone), relaxed
           where tasks.id = polled.id and tasks.fence = polled.fence
           returning tasks.id`,
    values: [
      steps.map(([id]) => id),
      steps.map(([, fence]) => fence),
      steps.map(([, , inMs]) => inMs),
      steps.map(([, , , keepMs]) => keepMs),
      sorted.map(({ progress }) => progress),
      sorted.map(({ answered }) => answered),
      sorted.map(({ isGone }) => isGone === true),
    ],
  })
  return new Set(rows.map(({ id }) => idOf('task', id)))
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
 * too late to cancel, a request to do so no longer hurries the task. A hint that came during the step (`hint-queries.ts`)
 * has the job looked at soon once more: what the step was told may be older.
 */
const NEXT_STEP = nextStep('$3', '$4')

function nextStep(inMs: string, keepLeaseMs: string): string {
  return `
  due_at = case when cancel_requested_at is not null and state in ('submitting', 'running') then now()
                when ${inMs}::float8 is null then deadline_at
                else least(now() + make_interval(secs => ${inMs}::float8 / 1000), deadline_at,
                  case when hinted_at = 'infinity' then now() + interval '${HINT_PAUSE}' end) end,
  hinted_at = case when hinted_at = 'infinity' then now() + interval '${HINT_PAUSE}' else hinted_at end,
  lease_owner = case when ${keepLeaseMs}::float8 is null then null else lease_owner end,
  lease_until = now() + make_interval(secs => (coalesce(${inMs}::float8, 0) + ${keepLeaseMs}::float8) / 1000)`
}

function nextStepValues(task: LeasedTask, next: NextStep): [string, bigint, number | null, number | null] {
  return [uuidOf(task.id), task.fence, next.inMs === 'deadline' ? null : next.inMs, next.keepLeaseMs ?? null]
}

function leasedTaskOf(row: LeasedRow): LeasedTask {
  return {
    id: idOf('task', row.id),
    fence: row.fence,
    state: row.state,
    provider: row.provider,
    mode: row.mode,
    request: row.request,
    priceCredits: row.price_credits,
    plan: row.plan,
    cancelRequested: row.cancel_requested,
    leftMs: row.left_ms,
    unansweredPolls: row.unanswered_polls,
    gonePolls: row.gone_polls,
    ageMs: row.age_ms,
    attempt:
      row.attempt_id === null || row.attempt_number === null || row.attempt_state === null
        ? undefined
        : {
            id: idOf('att', row.attempt_id),
            number: row.attempt_number,
            state: row.attempt_state,
            credential: row.credential ?? undefined,
            operation: row.operation ?? undefined,
            kept: row.kept ?? undefined,
          },
  }
}
