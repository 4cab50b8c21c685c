/** Statements about tasks as their owners see them. What workers do to tasks is in `lease-queries.ts`. */
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Task } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import type { NewTask } from './new-task.ts'
import { statesBefore } from './states.ts'
import { QUEUE_POSITION, TASK_COLUMNS, type TaskRow, taskOf } from './task-row.ts'

/** A key is remembered this long: a client that retries a lost answer does so within minutes, at most overnight. */
const IDEMPOTENCY_KEY_LIFETIME = '24 hours'

/** A task that nobody could start for a day is not wanted any more; its credits go back. */
const QUEUE_DEADLINE_SECONDS = 24 * 60 * 60

export type SubmitRow =
  | { readonly outcome: 'created' | 'replayed'; readonly taskUuid: string; readonly createdAt: Date }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'insufficient'; readonly availableCredits: bigint }

/** Creates a batch of tasks in one statement; outcomes come in the order of `tasks`. */
export async function submitTasks(db: Queryable, tasks: readonly NewTask[]): Promise<SubmitRow[]> {
  const { rows } = await db.query<{
    n: bigint
    outcome: SubmitRow['outcome']
    task_id: string | null
    created_at: Date
    available: bigint
  }>({
    name: 'submit-tasks',
    text: 'select n, outcome, task_id, created_at, available from submit_tasks($1, $2) order by n',
    values: [submitArgument(tasks), IDEMPOTENCY_KEY_LIFETIME],
  })
  return rows.map((row): SubmitRow => {
    if (row.outcome === 'conflict') return { outcome: 'conflict' }
    if (row.outcome === 'insufficient' || row.task_id === null) {
      return { outcome: 'insufficient', availableCredits: row.available }
    }
    return { outcome: row.outcome, taskUuid: row.task_id, createdAt: row.created_at }
  })
}

/** The JSON array that `submit_tasks` takes. */
function submitArgument(tasks: readonly NewTask[]): string {
  return JSON.stringify(
    tasks.map((task) => ({
      id: uuidOf(task.id),
      wallet_id: task.wallet.toString(),
      dialect: task.dialect,
      model: task.model,
      request: task.request,
      body: task.body,
      client_request_id: task.clientRequestId,
      price_credits: task.priceCredits.toString(),
      provider: task.provider,
      queue_seconds: QUEUE_DEADLINE_SECONDS,
      key: task.idempotency?.key,
      fingerprint: task.idempotency?.fingerprint,
    })),
  )
}

/** One task of one wallet; another wallet's is as absent as one that never was. */
export async function selectTask(db: Queryable, wallet: WalletId, id: TaskId): Promise<Task | undefined> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-task',
    text: `select ${TASK_COLUMNS}, ${QUEUE_POSITION} from tasks t where t.id = $1 and t.wallet_id = $2`,
    values: [uuidOf(id), wallet],
  })
  return rows[0] === undefined ? undefined : taskOf(rows[0])
}

export interface TaskFilter {
  readonly wallet: WalletId
  /** Only tasks in one of these; `undefined` for all. */
  readonly states: readonly TaskState[] | undefined
  /** Only tasks older than this one. */
  readonly before: TaskId | undefined
  readonly limit: number
}

/** Newest first: ids are time-ordered. */
export async function selectTasks(db: Queryable, filter: TaskFilter): Promise<Task[]> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-tasks',
    text: `select ${TASK_COLUMNS}, ${QUEUE_POSITION} from tasks t
           where t.wallet_id = $1 and ($2::text[] is null or t.state = any ($2)) and ($3::uuid is null or t.id < $3)
           order by t.id desc limit $4`,
    values: [
      filter.wallet,
      filter.states ?? null,
      filter.before === undefined ? null : uuidOf(filter.before),
      filter.limit,
    ],
  })
  return rows.map(taskOf)
}

/** Ends a queued task as canceled and releases its hold; tells whether this call did it. */
export async function cancelQueued(db: Queryable, id: TaskId): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from settle_task($1, null, array['queued'], 'canceled', 0, null, null, '[]')`,
    [uuidOf(id)],
  )
  return rowCount === 1
}

/**
 * Asks the worker to cancel. A task between two steps becomes due at once; one whose step is under way (its due time is
 * its lease's end) is left to that step, which sees the request when it ends. False if it is too far on.
 */
export async function requestCancel(db: Queryable, id: TaskId): Promise<boolean> {
  const { rowCount } = await db.query(
    `update tasks set cancel_requested_at = coalesce(cancel_requested_at, now()), updated_at = now(),
       due_at = case when lease_until is null or due_at < lease_until then least(due_at, now()) else due_at end
     where id = $1 and state = any ($2)`,
    [uuidOf(id), statesBefore('canceled').filter((state) => state !== 'queued')],
  )
  return rowCount === 1
}
