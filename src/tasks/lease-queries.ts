/**
 * Statements of leases. A worker owns a task while it holds its lease; each statement names the fencing token of that
 * lease, and one that finds another token changes nothing and says so. All times are the database's: a worker with a wrong
 * clock does no harm.
 */
import type { GenerationRequest } from '../canonical/generation.ts'
import { type AttemptId, idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { JsonObject } from '../canonical/json.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import { NEXT_STEP, type NextStep, nextStepValues } from './next-step.ts'

export type AttemptState =
  | 'starting'
  | 'accepted'
  | 'rejected'
  | 'undelivered'
  | 'uncertain'
  /** The provider took the job and lost it. */
  | 'lost'
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'expired'

/** The latest time that a provider was, or was about to be, asked for a task. */
export interface Attempt {
  readonly id: AttemptId
  readonly number: number
  /** Who was asked: not always the provider that has the task now. */
  readonly provider: string
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
  /** Who pays: an account in one mode. */
  readonly wallet: WalletId
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
  /** Looks at the finished job that found no video to take, by the provider's doing. */
  readonly collectFaults: number
  /** Jobs of it that a provider took and then lost. */
  readonly lostJobs: number
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
  wallet_id: bigint
  mode: WalletMode
  request: GenerationRequest
  price_credits: bigint
  plan: string
  cancel_requested: boolean
  left_ms: number
  unanswered_polls: number
  gone_polls: number
  collect_faults: number
  lost_jobs: number
  age_ms: number
  attempt_id: string | null
  attempt_number: number | null
  attempt_provider: string | null
  attempt_state: AttemptState | null
  credential: string | null
  operation: JsonObject | null
  kept: JsonObject | null
}

/** Completes leased rows (`leased`) with what a step needs to know. */
const LEASED_COLUMNS = `
  select l.id, l.fence, l.state, l.provider, l.wallet_id, w.mode, l.request, l.price_credits, a.plan,
    l.cancel_requested_at is not null as cancel_requested, l.unanswered_polls, l.gone_polls, l.collect_faults, l.lost_jobs,
    (extract(epoch from l.deadline_at - now()) * 1000)::float8 as left_ms,
    (extract(epoch from now() - coalesce(l.started_at, l.created_at)) * 1000)::float8 as age_ms,
    last.id as attempt_id, last.number as attempt_number, last.provider as attempt_provider, last.state as attempt_state,
    last.credential, last.operation, last.kept
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
 * skipped, not waited for. A step that is taken up late moves the task's deadline by as much: in that time no worker looked.
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
               due_at = now() + make_interval(secs => $4::float8 / 1000),
               deadline_at = deadline_at + (now() - due.due_at)
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
    text: `select case when exists (select from tasks where provider = $1 and state = 'queued' and parked_at is null) then (
             select count(*)::integer from tasks
             where provider = $1 and state in ('submitting', 'running', 'collecting') and parked_at is null
               and holds_slot
               and ($2::text is null or lease_owner = $2)) end as active`,
    values: [provider, worker ?? null],
  })
  return rows[0]?.active ?? undefined
}

/** Gives a task back whose provider is not asked now, until it is to be looked at again. False: the lease was lost. */
export async function postponeTask(db: Queryable, task: LeasedTask, next: NextStep): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'postpone-task',
    text: `update tasks set ${NEXT_STEP} where id = $1 and fence = $2`,
    values: nextStepValues(task, next),
  })
  return rowCount === 1
}

/**
 * Frees the leases of a worker whose process is gone: its tasks are due at once, and those that were overdue stay so. A task that
 * another session holds is skipped: its lease runs out by itself.
 */
export async function releaseLeases(db: Queryable, worker: string): Promise<number> {
  const { rowCount } = await db.query(
    `update tasks set fence = fence + 1, lease_owner = null, lease_until = null, due_at = least(due_at, now())
     where id in (select id from tasks where lease_owner = $1 and state in ('submitting', 'running', 'collecting')
                  for update skip locked)`,
    [worker],
  )
  return rowCount ?? 0
}

function leasedTaskOf(row: LeasedRow): LeasedTask {
  return {
    id: idOf('task', row.id),
    fence: row.fence,
    state: row.state,
    provider: row.provider,
    wallet: row.wallet_id,
    mode: row.mode,
    request: row.request,
    priceCredits: row.price_credits,
    plan: row.plan,
    cancelRequested: row.cancel_requested,
    leftMs: row.left_ms,
    unansweredPolls: row.unanswered_polls,
    gonePolls: row.gone_polls,
    collectFaults: row.collect_faults,
    lostJobs: row.lost_jobs,
    ageMs: row.age_ms,
    attempt:
      row.attempt_id === null ||
      row.attempt_number === null ||
      row.attempt_provider === null ||
      row.attempt_state === null
        ? undefined
        : {
            id: idOf('att', row.attempt_id),
            number: row.attempt_number,
            provider: row.attempt_provider,
            state: row.attempt_state,
            credential: row.credential ?? undefined,
            operation: row.operation ?? undefined,
            kept: row.kept ?? undefined,
          },
  }
}
