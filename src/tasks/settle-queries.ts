import pg from 'pg'
import type { FailureReason } from '../canonical/failure.ts'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { TaskState, TerminalState } from '../canonical/task-state.ts'
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

/** What became of overdue tasks that were to be ended. */
export interface Expiry {
  readonly expired: readonly TaskId[]
  /** Those that the database refused to end, and why: an operator has to look at them. They hold up no other. */
  readonly refused: readonly { readonly id: TaskId; readonly error: Error }[]
  /** Those whose wallet another session holds. */
  readonly busy: readonly TaskId[]
}

export interface OverdueOptions {
  readonly limit: number
  /** Tasks that are passed over: they were refused, or their wallet was held. */
  readonly except: readonly TaskId[]
}

/** Expires tasks that waited in the queue past their deadline, oldest first. */
export async function expireQueued(db: Queryable, { limit, except }: OverdueOptions): Promise<Expiry> {
  const { rows } = await db.query<{ id: string; wallet_id: bigint }>({
    name: 'select-overdue-in-queue',
    text: `select id, wallet_id from tasks where state = 'queued' and deadline_at <= now() and id <> all ($2::uuid[])
           order by deadline_at limit $1`,
    values: [limit, except.map(uuidOf)],
  })
  return await expireEach(db, rows, ['queued'])
}

/** SQLSTATE of a lock that was waited for long enough. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Ends tasks one by one: each waits for its own wallet alone, and not for long; one that cannot be ended fails alone. Of a
 * wallet that another session holds, the first task is waited for and the others are passed over.
 */
async function expireEach(
  db: Queryable,
  tasks: readonly { readonly id: string; readonly wallet_id: bigint }[],
  from: readonly string[],
): Promise<Expiry> {
  const expired: TaskId[] = []
  const refused: { id: TaskId; error: Error }[] = []
  const busy: TaskId[] = []
  const held = new Set<bigint>()
  for (const { id: uuid, wallet_id: wallet } of tasks) {
    const id = idOf('task', uuid)
    try {
      if (held.has(wallet)) busy.push(id)
      else if (await expireTask(db, uuid, from)) expired.push(id)
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === LOCK_NOT_AVAILABLE) {
        held.add(wallet)
        busy.push(id)
      } else if (error instanceof pg.DatabaseError && !isDatabaseAway(error)) refused.push({ id, error })
      else throw error
    }
  }
  return { expired, refused, busy }
}

async function expireTask(db: Queryable, uuid: string, from: readonly string[]): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'expire-task',
    text: `with impatient as materialized (select set_config('lock_timeout', '250ms', true))
           select from impatient, lateral settle_task($1, null, $2, 'expired', 0, null, null, '[]')`,
    values: [uuid, from],
  })
  return rowCount === 1
}

/**
 * Expires tasks past their time whose last attempt is uncertain: no look can find out about them, and no worker may have their
 * provider, whose lane would end them.
 */
export async function expireInDoubt(db: Queryable, { limit, except }: OverdueOptions): Promise<Expiry> {
  const { rows } = await db.query<{ id: string; wallet_id: bigint }>({
    name: 'select-overdue-in-doubt',
    text: `select id, wallet_id from tasks t
           where state = 'submitting' and parked_at is null and deadline_at <= now() and id <> all ($2::uuid[])
             and (lease_until is null or lease_until <= now())
             and exists (select from attempts a where a.task_id = t.id and a.state = 'uncertain')
           order by deadline_at limit $1`,
    values: [limit, except.map(uuidOf)],
  })
  return await expireEach(db, rows, ['submitting'])
}
