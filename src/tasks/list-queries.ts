/**
 * Pages of a wallet's tasks. A text for each shape of the question: PostgreSQL plans a prepared statement once for every value
 * of its parameters, and a condition that may be absent would be a filter over the whole history. So each page reads the
 * rows that it shows, by an index in the order in which it shows them.
 *
 * The order is `tasks.position`, which is assigned under the lock of the wallet: no task ever becomes visible before another
 * one of its wallet that has a lower position. A client that goes on from the newest task that it has seen misses none.
 */
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Task } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import { MAX_QUEUE_POSITION, TASK_COLUMNS, type TaskRow, taskOf } from './task-row.ts'

export interface TaskFilter {
  readonly wallet: WalletId
  /** Only tasks in one of these; `undefined` for all. */
  readonly states: readonly TaskState[] | undefined
  /** Where the page before ended: only tasks beyond it. Beyond a task that the wallet never had there is none. */
  readonly after: TaskId | undefined
  readonly order: 'newest first' | 'oldest first'
  readonly limit: number
}

/** One page of a wallet's tasks, without their bodies, in the order in which they were created, or against it. */
export async function selectTasks(db: Queryable, filter: TaskFilter): Promise<Task[]> {
  const { wallet, after, limit } = filter
  const states = filter.states === undefined ? undefined : [...new Set(filter.states)]
  if (states?.length === 0) return []
  const [comparison, direction] = filter.order === 'newest first' ? ['<', 'desc'] : ['>', 'asc']
  const values: unknown[] = [wallet, limit]
  const parameter = (value: unknown) => `$${values.push(value)}`
  const beyond =
    after === undefined
      ? ''
      : `and position ${comparison} (select position from tasks where id = ${parameter(uuidOf(after))} and wallet_id = $1)`
  const ordered = `order by position ${direction} limit $2`
  const scan = (condition: string) =>
    `(select * from tasks where wallet_id = $1 and removed_at is null ${condition} ${beyond} ${ordered})`
  const scans = states?.map((state) => scan(`and state = ${parameter(state)}`)) ?? [scan('')]
  const name = `list-tasks-${direction}${after === undefined ? '' : '-after'}-${states?.length ?? 'all'}`
  const { rows } = await db.query<TaskRow>({
    name,
    text: `with page as materialized (select * from (${scans.join(' union all ')}) found ${ordered}), ${PLACES}
           select ${TASK_COLUMNS}, case when t.state = 'queued' and t.parked_at is null
             then coalesce(places.ahead, ${MAX_QUEUE_POSITION}) end as queue_position
           from page t left join places on places.task_id = t.id order by t.position ${direction}`,
    values,
  })
  return rows.map(taskOf)
}

/**
 * The places of a page's queued tasks: the first ones of each queue that the page has tasks in are counted once, for the whole
 * page. Tasks further back have no row.
 */
const PLACES = `places as materialized (
  select ahead.task_id, ahead.ahead
  from (select distinct provider from page where state = 'queued' and parked_at is null) queues
  cross join lateral queue_places($1, queues.provider, ${MAX_QUEUE_POSITION}) ahead
)`
