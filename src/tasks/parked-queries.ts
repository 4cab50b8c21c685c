/**
 * Statements about parked tasks: open ones that no worker may touch, because their database is a copy (`restored`: an operator
 * decides) or because no worker has their provider (`provider_missing`: its return ends it). The hold stays. While a task is
 * parked its deadline stands still.
 */
import type { FailureReason } from '../canonical/failure.ts'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import { statesBefore } from './states.ts'

export type ParkedBecause = 'restored' | 'provider_missing'

/** A task that comes back has at least so long, for the first look at it may have to wait for others. */
const LEAST_TIME_LEFT = '10 minutes'

/** Tasks that one statement resumes: small transactions, however many are parked. */
const RESUMED_AT_ONCE = 500

const IS_PARKED = `parked_at is not null and state in ('queued', 'submitting', 'running', 'collecting')`

const UNPARK = `parked_at = null, parked_because = null, parked_left = null, due_at = now(), fence = fence + 1,
  deadline_at = now() + greatest(parked_left, interval '${LEAST_TIME_LEFT}')`

/** How many tasks are parked, by cause and provider. */
export interface ParkedCount {
  readonly because: ParkedBecause
  readonly provider: string
  readonly tasks: number
}

export async function countParked(db: Queryable): Promise<ParkedCount[]> {
  const { rows } = await db.query<ParkedCount>(
    `select parked_because as because, provider, count(*)::integer as tasks from tasks where ${IS_PARKED}
     group by 1, 2 order by 1, 2`,
  )
  return rows
}

/** A parked task as its operator sees it. */
export interface ParkedTask {
  readonly task: TaskId
  readonly state: TaskState
  readonly provider: string
  readonly because: ParkedBecause
  readonly heldCredits: bigint
  readonly parkedAt: Date
}

/** The oldest first. */
export async function selectParked(db: Queryable, limit: number): Promise<ParkedTask[]> {
  const { rows } = await db.query<{
    id: string
    state: TaskState
    provider: string
    because: ParkedBecause
    price_credits: bigint
    parked_at: Date
  }>(
    `select id, state, provider, parked_because as because, price_credits, parked_at from tasks where ${IS_PARKED}
     order by id limit $1`,
    [limit],
  )
  return rows.map(({ id, price_credits: heldCredits, parked_at: parkedAt, ...row }) => ({
    ...{ task: idOf('task', id), heldCredits, parkedAt },
    ...row,
  }))
}

/**
 * Hands restored tasks back to the workers, with what was left of their time; `undefined` means all of them. Running ones are
 * asked after at their providers, queued ones wait for their turn. Returns those that were resumed.
 */
export async function resumeRestored(db: Queryable, ids: readonly TaskId[] | undefined): Promise<TaskId[]> {
  const resumed: TaskId[] = []
  for (;;) {
    const { rows } = await db.query<{ id: string }>(
      `update tasks set ${UNPARK} where id in (
         select id from tasks where ${IS_PARKED} and parked_because = 'restored' and ($1::uuid[] is null or id = any ($1))
         order by id limit $2 for update)
       returning id`,
      [ids?.map(uuidOf) ?? null, RESUMED_AT_ONCE],
    )
    resumed.push(...rows.map(({ id }) => idOf('task', id)))
    if (rows.length < RESUMED_AT_ONCE) return resumed
  }
}

/** Which of these tasks are parked; `undefined` asks for all restored ones. */
export async function selectParkedIds(db: Queryable, ids: readonly TaskId[] | undefined): Promise<TaskId[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from tasks where ${IS_PARKED}
       and (id = any ($1::uuid[]) or ($1::uuid[] is null and parked_because = 'restored')) order by id`,
    [ids?.map(uuidOf) ?? null],
  )
  return rows.map(({ id }) => idOf('task', id))
}

/** Gives a parked task up: it fails, and its credits return. Its provider is not asked. False: it is parked no more. */
export async function failParked(db: Queryable, id: TaskId): Promise<boolean> {
  return await settleParked(db, id, {
    from: statesBefore('failed'),
    to: 'failed',
    reason: 'provider_unavailable',
    message: 'The generation was interrupted and given up.',
  })
}

/** Cancels a parked task that is with its provider, without asking that. False: it is not parked, or it is too late. */
export async function cancelParked(db: Queryable, id: TaskId): Promise<boolean> {
  return await settleParked(db, id, { from: statesBefore('canceled'), to: 'canceled' })
}

interface ParkedEnd {
  readonly from: readonly TaskState[]
  readonly to: 'failed' | 'canceled'
  readonly reason?: FailureReason
  readonly message?: string
}

async function settleParked(db: Queryable, id: TaskId, end: ParkedEnd): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from tasks t, lateral settle_task(t.id, t.fence, $2, $3, 0, $4, $5, '[]')
     where t.id = $1 and t.parked_at is not null`,
    [uuidOf(id), end.from, end.to, end.reason ?? null, end.message ?? null],
  )
  return rowCount === 1
}

/** Parks what is with a provider that no worker has, but for what is in doubt, which has an end of its own. Returns how many. */
export async function parkTasksOf(db: Queryable, provider: string, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `update tasks set parked_at = now(), parked_because = 'provider_missing', parked_left = deadline_at - now(),
       due_at = 'infinity', deadline_at = 'infinity', hinted_at = null, fence = fence + 1, lease_owner = null, lease_until = null
     where id in (
       select t.id from tasks t
       where t.provider = $1 and t.state in ('submitting', 'running', 'collecting') and t.parked_at is null
         and (t.lease_until is null or t.lease_until <= now())
         and not exists (select from attempts a where a.task_id = t.id and a.state = 'uncertain')
       limit $2 for update skip locked)`,
    [provider, limit],
  )
  return rowCount ?? 0
}

/** Hands back what waited for the return of these providers, at most `limit`. Returns how many. */
export async function resumeReturned(db: Queryable, providers: readonly string[], limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `update tasks set ${UNPARK} where id in (
       select id from tasks where ${IS_PARKED} and parked_because = 'provider_missing' and provider = any ($1)
       order by id limit $2 for update skip locked)`,
    [providers, limit],
  )
  return rowCount ?? 0
}

/**
 * Puts tasks that have a slot at a provider that no worker has, and that it surely did not begin, back into its queue, from
 * where they can go to another one. Returns how many.
 */
export async function requeueUnstarted(
  db: Queryable,
  provider: string,
  { limit, queueSeconds }: { readonly limit: number; readonly queueSeconds: number },
): Promise<number> {
  const { rowCount } = await db.query(
    // Judged once more when it is locked: a worker that was frozen past its lease may have begun an attempt in between.
    `with locked as materialized (
       select t.id, t.provider from tasks t left join lateral last_attempt(t.id) last on true
       where t.provider = $1 and t.state = 'submitting' and t.parked_at is null and t.cancel_requested_at is null
         and (t.lease_until is null or t.lease_until <= now()) and ${IS_UNSTARTED}
       limit $2 for update of t skip locked
     ), unstarted as materialized (
       select t.id from locked t left join lateral last_attempt(t.id) last on true where ${IS_UNSTARTED}
     )
     update tasks set state = 'queued', due_at = now(), updated_at = now(), unanswered_polls = 0, fence = fence + 1,
       lease_owner = null, lease_until = null,
       deadline_at = greatest(created_at + make_interval(secs => $3), now() + interval '${LEAST_TIME_LEFT}')
     from unstarted where tasks.id = unstarted.id`,
    [provider, limit, queueSeconds],
  )
  return rowCount ?? 0
}

/** `last`: the latest attempt of the task `t`. */
const IS_UNSTARTED = `(coalesce(last.state, 'rejected') in ('rejected', 'undelivered') or last.provider <> t.provider)`

/** Providers with open tasks that no live worker has, and how many tasks wait there; nothing where no worker is alive. */
export async function countUnconfigured(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ provider: string; tasks: number }>({
    name: 'count-unconfigured',
    text: `with live as (
             select providers from workers where seen_at > now() - interval '${WORKER_SILENCE}'
           ), open as (
             select provider, count(*)::integer as tasks from tasks
             where state = 'queued' and parked_at is null group by provider
             union all
             select provider, count(*)::integer from tasks where state in ('submitting', 'running', 'collecting')
             group by provider
           )
           select provider, sum(tasks)::integer as tasks from open
           where exists (select from live) and not exists (select from live where provider = any (live.providers))
           group by provider order by provider`,
  })
  return new Map(rows.map(({ provider, tasks }) => [provider, tasks]))
}

/** Providers that have tasks which have not ended. */
export async function selectProvidersInUse(db: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ provider: string }>(
    `select provider from tasks where state = 'queued' and parked_at is null
     union select provider from tasks where state in ('submitting', 'running', 'collecting')`,
  )
  return new Set(rows.map(({ provider }) => provider))
}

/** A worker says every 3 s that it is alive. */
const WORKER_SILENCE = '15 seconds'
