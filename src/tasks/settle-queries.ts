import type { FailureReason } from '../canonical/failure.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { TaskState, TerminalState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
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

/**
 * Expires tasks past their time whose last attempt is uncertain: no look can find out about them, and no worker may have their
 * provider, whose lane would end them. Returns how many.
 */
export async function expireInDoubt(db: Queryable, limit: number): Promise<number> {
  const { rows } = await db.query<{ expired: number }>({
    name: 'expire-in-doubt',
    text: `with late as materialized (
             select id, wallet_id from tasks t
             where state = 'submitting' and parked_at is null and deadline_at <= now()
               and (lease_until is null or lease_until <= now())
               and exists (select from attempts a where a.task_id = t.id and a.state = 'uncertain')
             order by deadline_at limit $1 for update skip locked
           )
           select count(*)::integer as expired
           from (select id from late order by wallet_id) task,
             lateral settle_task(task.id, null, array['submitting'], 'expired', 0, null, null, '[]')`,
    values: [limit],
  })
  return rows[0]?.expired ?? 0
}
