import pg from 'pg'
import type { FailureReason } from '../canonical/failure.ts'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { TerminalState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import { isDatabaseAway } from '../db/database-away.ts'
import type { MediaRecord } from '../media/ingest.ts'
import type { LeasedTask } from './lease-queries.ts'
import { statesBefore } from './states.ts'
import { storable } from './storable.ts'

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

/**
 * The first part of a statement that settles: it waits for the wallet for a moment only. While another session holds the wallet, no
 * connection waits with it, so that the pool is left to the tasks of other wallets.
 */
const IMPATIENT = `with impatient as materialized (select set_config('lock_timeout', '250ms', true))`

/** SQLSTATE of a lock that was waited for long enough. */
const LOCK_NOT_AVAILABLE = '55P03'

/** Whether a task was not ended because another session holds its wallet: the same call may pass later. */
export function isWalletHeld(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE
}

/**
 * Ends a task and settles its hold in one transaction. False: another settlement won, or the lease was lost.
 * @throws DatabaseError `isWalletHeld` where another session holds the wallet.
 */
export async function settleTask(db: Queryable, task: LeasedTask, end: Settlement): Promise<boolean> {
  const target: TerminalState = end.state
  const { rowCount } = await db.query({
    name: 'settle-task',
    text: `${IMPATIENT} select from impatient, lateral settle_task($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
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

/** What became of tasks that were to be ended. */
export interface Endings {
  readonly ended: readonly TaskId[]
  /** Those that the database refused to end, and why: an operator has to look at them. They hold up no other. */
  readonly refused: readonly { readonly id: TaskId; readonly error: Error }[]
  /** Those whose wallet another session holds. */
  readonly busy: readonly TaskId[]
}

export interface EndOptions {
  readonly limit: number
  /** Tasks that are passed over: they were refused, or their wallet was held. */
  readonly except: readonly TaskId[]
}

/** Expires tasks that waited in the queue past their deadline, oldest first. */
export async function expireQueued(db: Queryable, { limit, except }: EndOptions): Promise<Endings> {
  const { rows } = await db.query<{ id: string; wallet_id: bigint }>({
    name: 'select-overdue-in-queue',
    text: `select id, wallet_id from tasks where state = 'queued' and deadline_at <= now() and id <> all ($2::uuid[])
           order by deadline_at limit $1`,
    values: [limit, except.map(uuidOf)],
  })
  return await endEach(rows, (id) => expireTask(db, id, ['queued']))
}

/**
 * Ends tasks one by one: each waits for its own wallet alone, and not for long; one that cannot be ended fails alone. Of a
 * wallet that another session holds, the first task is waited for and the others are passed over.
 */
async function endEach(
  tasks: readonly { readonly id: string; readonly wallet_id: bigint }[],
  end: (uuid: string) => Promise<boolean>,
): Promise<Endings> {
  const ended: TaskId[] = []
  const refused: { id: TaskId; error: Error }[] = []
  const busy: TaskId[] = []
  const held = new Set<bigint>()
  for (const { id: uuid, wallet_id: wallet } of tasks) {
    const id = idOf('task', uuid)
    try {
      if (held.has(wallet)) busy.push(id)
      else if (await end(uuid)) ended.push(id)
    } catch (error) {
      if (isWalletHeld(error)) {
        held.add(wallet)
        busy.push(id)
      } else if (error instanceof pg.DatabaseError && !isDatabaseAway(error)) refused.push({ id, error })
      else throw error
    }
  }
  return { ended, refused, busy }
}

async function expireTask(db: Queryable, uuid: string, from: readonly string[]): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'expire-task',
    text: `${IMPATIENT} select from impatient, lateral settle_task($1, null, $2, 'expired', 0, null, null, '[]')`,
    values: [uuid, from],
  })
  return rowCount === 1
}

/**
 * Expires tasks past their time whose last attempt is uncertain: no look can find out about them, and no worker may have their
 * provider, whose lane would end them.
 */
export async function expireInDoubt(db: Queryable, { limit, except }: EndOptions): Promise<Endings> {
  const { rows } = await db.query<{ id: string; wallet_id: bigint }>({
    name: 'select-overdue-in-doubt',
    text: `select id, wallet_id from tasks t
           where state = 'submitting' and parked_at is null and deadline_at <= now() and id <> all ($2::uuid[])
             and (lease_until is null or lease_until <= now())
             and exists (select from attempts a where a.task_id = t.id and a.state = 'uncertain')
           order by deadline_at limit $1`,
    values: [limit, except.map(uuidOf)],
  })
  return await endEach(rows, (id) => expireTask(db, id, ['submitting']))
}

/**
 * Cancels parked tasks of missing providers whose owner had asked for it before they were parked: no worker is there to hear of it.
 * Their providers are not asked.
 */
export async function cancelUnheard(db: Queryable, { limit, except }: EndOptions): Promise<Endings> {
  const { rows } = await db.query<{ id: string; wallet_id: bigint }>({
    name: 'select-canceled-unheard',
    text: `select id, wallet_id from tasks
           where parked_at is not null and state in ('queued', 'submitting', 'running', 'collecting')
             and parked_because = 'provider_missing' and cancel_requested_at is not null and id <> all ($2::uuid[])
           order by id limit $1`,
    values: [limit, except.map(uuidOf)],
  })
  return await endEach(rows, async (uuid) => {
    const { rowCount } = await db.query({
      name: 'cancel-unheard',
      text: `${IMPATIENT} select from impatient, tasks t, lateral settle_task(t.id, t.fence, $2, 'canceled', 0, null, null, '[]')
             where t.id = $1 and t.parked_at is not null`,
      values: [uuid, statesBefore('canceled')],
    })
    return rowCount === 1
  })
}
