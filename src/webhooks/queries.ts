/** Every statement about deliveries and the secrets that sign them, but the insert of `settle_task`. */
import { randomUUID } from 'node:crypto'
import { type AccountId, idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import { mayTake } from '../isolation/turns.ts'
import {
  DELIVERY_STATES,
  type Delivery,
  type DeliveryId,
  type DeliveryKind,
  type DeliveryState,
  type LeasedDelivery,
} from './delivery.ts'
import type { Plan } from './plan-next.ts'

/**
 * Due rows that one claim looks at. More than any claim takes, so that it finds somebody else's behind the first few
 * hundred of one receiver; a receiver that is full is not looked at at all.
 */
const LOOK_AHEAD = 500

export interface ClaimOptions {
  readonly kind: DeliveryKind
  readonly worker: string
  readonly limit: number
  readonly leaseMs: number
  /** How many more may be under way to each host that has any; to others the whole bound. */
  readonly roomOfHost: ReadonlyMap<string, number>
  readonly maxPerHost: number
  /** How many are under way for each account that has any. Accounts share the places as keys share turns: see `mayTake`. */
  readonly heldByAccount: ReadonlyMap<AccountId, number>
  /** Of all places, `limit` of which are free, those of one account. */
  readonly shares: { readonly atOnce: number; readonly ofOneKey: number }
}

/**
 * Leases deliveries that are due, within the bound of each host and the share of each account: those of the accounts with the
 * fewest under way first, among equals the longest due. Rows that another worker is taking at this moment are skipped, not
 * waited for. While there is a due row that may be taken, at least one is.
 */
export async function claimDueDeliveries(db: Queryable, options: ClaimOptions): Promise<LeasedDelivery[]> {
  const { shares, limit: free } = options
  const held = new Map([...options.heldByAccount].map(([account, places]) => [uuidOf(account), places]))
  const accountsWithoutRoom = [...held].filter(([, places]) => !mayTake({ held: places, free }, shares))
  const { rows } = await db.query<{
    id: string
    fence: bigint
    task_id: string
    account_id: string
    url: string
    host: string
    attempts: number
  }>({
    name: 'claim-due-deliveries',
    text: `with due as (
             select id, host, account_id, due_at from deliveries
             where kind = $1 and state = 'pending' and due_at <= now() and (lease_until is null or lease_until <= now())
               and host <> all ($5) and account_id <> all ($6::uuid[])
             order by due_at limit ${LOOK_AHEAD} for update skip locked
           ),
           of_host as (
             select due.*, row_number() over (partition by host order by due_at, id) as rank from due
           ),
           of_account as (
             -- Which of its account's places it would have.
             select id, due_at, coalesce(($9::jsonb ->> account_id::text)::integer, 0)
               + row_number() over (partition by account_id order by due_at, id) as place
             from of_host where rank <= coalesce(($7::jsonb ->> host)::integer, $8)
           ),
           in_turn as (
             select id, place, $3 + 1 - row_number() over (order by place, due_at, id) as free from of_account
           ),
           chosen as (
             -- As mayTake has it.
             select id from in_turn
             where free > 0 and (place = 1 or (place - 1) * ($10::integer - $11::integer) < $11::integer * free)
           )
           update deliveries d set fence = d.fence + 1, lease_owner = $2,
             lease_until = now() + make_interval(secs => $4::float8 / 1000),
             due_at = now() + make_interval(secs => $4::float8 / 1000)
           from chosen where d.id = chosen.id
           returning d.id, d.fence, d.task_id, d.account_id, d.url, d.host, d.attempts`,
    values: [
      options.kind,
      options.worker,
      free,
      options.leaseMs,
      [...options.roomOfHost].filter(([, room]) => room <= 0).map(([host]) => host),
      accountsWithoutRoom.map(([account]) => account),
      JSON.stringify(Object.fromEntries(options.roomOfHost)),
      options.maxPerHost,
      JSON.stringify(Object.fromEntries(held)),
      shares.atOnce,
      shares.ofOneKey,
    ],
  })
  return rows.map((row) => ({
    id: idOf('msg', row.id),
    fence: row.fence,
    kind: options.kind,
    taskId: idOf('task', row.task_id),
    accountId: idOf('acct', row.account_id),
    url: row.url,
    host: row.host,
    attempts: row.attempts,
  }))
}

/** Writes down what came of an attempt, and gives the lease back. False: the lease was lost, and somebody else's counts. */
export async function recordAttempt(
  db: Queryable,
  delivery: LeasedDelivery,
  attempt: { readonly plan: Plan; readonly status: number | undefined; readonly error: string | undefined },
): Promise<boolean> {
  const { plan, status, error } = attempt
  const { rowCount } = await db.query({
    name: 'record-attempt',
    text: `update deliveries set state = $3, attempts = attempts + 1, last_status = $4, last_error = $5,
             last_attempt_at = now(), lease_owner = null, lease_until = null,
             due_at = now() + make_interval(secs => $6::float8 / 1000),
             ended_at = case when $3 <> 'pending' then now() end
           where id = $1 and fence = $2 and state = 'pending'`,
    values: [
      uuidOf(delivery.id),
      delivery.fence,
      plan.state,
      status ?? null,
      error ?? null,
      plan.state === 'pending' ? plan.inMs : 0,
    ],
  })
  return rowCount === 1
}

/** Frees what a worker that is gone, or going, held: due at once. */
export async function releaseDeliveries(db: Queryable, worker: string): Promise<number> {
  const { rowCount } = await db.query(
    `update deliveries set fence = fence + 1, lease_owner = null, lease_until = null, due_at = now()
     where lease_owner = $1 and state = 'pending'`,
    [worker],
  )
  return rowCount ?? 0
}

/** The video that an upload brings; `undefined` where there is none any more. */
export async function selectVideo(
  db: Queryable,
  task: TaskId,
): Promise<{ readonly storeKey: string; readonly mimeType: string; readonly sizeBytes: number } | undefined> {
  const { rows } = await db.query<{ store_key: string; mime_type: string; size_bytes: bigint }>({
    name: 'select-delivered-video',
    text: `select store_key, mime_type, size_bytes from media
           where task_id = $1 and kind = 'video' and deleted_at is null`,
    values: [uuidOf(task)],
  })
  const row = rows[0]
  if (row === undefined) return undefined
  return { storeKey: row.store_key, mimeType: row.mime_type, sizeBytes: Number(row.size_bytes) }
}

export interface DeliveryFilter {
  readonly task: TaskId | undefined
  readonly state: DeliveryState | undefined
  readonly limit: number
}

/** The newest first. Without a task each state is read by its index, and no more of it than is shown. */
export async function selectDeliveries(db: Queryable, filter: DeliveryFilter): Promise<Delivery[]> {
  const states = filter.state === undefined ? DELIVERY_STATES : [filter.state]
  const newest = 'order by created_at desc, id desc limit $1'
  const ofState = (_: DeliveryState, n: number) => `(select * from deliveries where state = $${n + 2} ${newest})`
  const found =
    filter.task === undefined
      ? states.map(ofState).join(' union all ')
      : 'select * from deliveries where task_id = $2 and state = any ($3)'
  const { rows } = await db.query<{
    id: string
    kind: DeliveryKind
    task_id: string
    account_id: string
    shown_url: string
    state: DeliveryState
    attempts: number
    due_at: Date | null
    last_status: number | null
    last_error: string | null
    last_attempt_at: Date | null
    created_at: Date
    ended_at: Date | null
  }>(
    `select id, kind, task_id, account_id, substring(url from '^[^?#]*') as shown_url, state, attempts,
       case when parked_at is null then due_at end as due_at, last_status,
       last_error, last_attempt_at, created_at, ended_at
     from (${found}) found ${newest}`,
    [filter.limit, ...(filter.task === undefined ? states : [uuidOf(filter.task), states])],
  )
  return rows.map((row) => ({
    id: idOf('msg', row.id),
    kind: row.kind,
    taskId: idOf('task', row.task_id),
    accountId: idOf('acct', row.account_id),
    shownUrl: row.shown_url,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at ?? undefined,
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    lastAttemptAt: row.last_attempt_at ?? undefined,
    createdAt: row.created_at,
    endedAt: row.ended_at ?? undefined,
  }))
}

/**
 * Has a delivery tried again, at once and then by the whole schedule, under the same id: one that failed, is waiting, or
 * was delivered already. False: there is none, or an attempt is under way at this moment.
 */
export async function retryDelivery(db: Queryable, id: DeliveryId): Promise<boolean> {
  const { rowCount } = await db.query(
    `update deliveries set state = 'pending', attempts = 0, due_at = now(), parked_at = null, ended_at = null, fence = fence + 1,
       lease_owner = null, lease_until = null
     where id = $1 and (lease_until is null or lease_until <= now())`,
    [uuidOf(id)],
  )
  return rowCount === 1
}

/** Forgets deliveries that ended more than `days` ago. Returns how many. */
export async function deleteOldDeliveries(
  db: Queryable,
  { days, limit }: { readonly days: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from deliveries where id = any (array(
       select id from deliveries where state <> 'pending' and ended_at < now() - make_interval(days => $1)
       order by ended_at limit $2 for update skip locked))`,
    [days, limit],
  )
  return rowCount ?? 0
}

/** Deliveries that are still to be made, by kind. */
export async function countPendingDeliveries(db: Queryable): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ kind: string; pending: number }>(
    `select kind, count(*)::integer as pending from deliveries where state = 'pending' group by kind`,
  )
  return new Map(rows.map((row) => [row.kind, row.pending]))
}

/** The newest first. */
export async function selectSigningSecrets(db: Queryable, account: AccountId): Promise<Buffer[]> {
  const { rows } = await db.query<{ value: Buffer }>({
    name: 'select-signing-secrets',
    text: `select value from callback_secrets where account_id = $1 and (signs_until is null or signs_until > now())
           order by signs_until desc nulls first`,
    values: [uuidOf(account)],
  })
  return rows.map((row) => row.value)
}

/** Nothing if the account has one already. */
export async function insertSecret(db: Queryable, account: AccountId, value: Buffer): Promise<void> {
  await db.query(
    `insert into callback_secrets (id, account_id, value) values ($1, $2, $3)
     on conflict (account_id) where signs_until is null do nothing`,
    [randomUUID(), uuidOf(account), value],
  )
}

export async function retireSecret(db: Queryable, account: AccountId, hours: number): Promise<void> {
  await db.query(
    `update callback_secrets set signs_until = now() + make_interval(hours => $2)
     where account_id = $1 and signs_until is null`,
    [uuidOf(account), hours],
  )
}

export async function deleteRetiredSecrets(db: Queryable, account: AccountId): Promise<void> {
  await db.query('delete from callback_secrets where account_id = $1 and signs_until <= now()', [uuidOf(account)])
}

/** Whoever holds it is alone with the account's secrets. False: there is no such account. */
export async function lockAccount(db: Queryable, account: AccountId): Promise<boolean> {
  const { rowCount } = await db.query('select from accounts where id = $1 for no key update', [uuidOf(account)])
  return rowCount === 1
}
