/** Statements about tasks as their owners see them. What workers do to tasks is in `lease-queries.ts`. */
import pg from 'pg'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Task } from '../canonical/task.ts'
import { TERMINAL_STATES } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import type { NewTask } from './new-task.ts'
import { statesBefore } from './states.ts'
import { QUEUE_POSITION, SHOWN_BODY, TASK_COLUMNS, type TaskRow, taskOf } from './task-row.ts'

/** A key is remembered this long: a client that retries a lost answer does so within minutes, at most overnight. */
export const IDEMPOTENCY_KEY_LIFETIME = '24 hours'

/** A task that nobody could start for a day is not wanted any more; its credits go back. */
export const QUEUE_DEADLINE_SECONDS = 24 * 60 * 60

export type SubmitRow =
  | { readonly outcome: 'created' | 'replayed'; readonly taskUuid: string; readonly createdAt: Date }
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'insufficient'; readonly availableCredits: bigint }

/** SQLSTATE of a lock that was waited for long enough. */
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Creates a batch of tasks in one statement; outcomes come in the order of `tasks`. Where another session holds a wallet of
 * them for long, a second statement goes on without it.
 */
export async function submitTasks(db: Queryable, tasks: readonly NewTask[]): Promise<SubmitRow[]> {
  try {
    return await submitOnce(db, tasks, { skipHeld: false })
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error
    return await submitOnce(db, tasks, { skipHeld: true })
  }
}

async function submitOnce(
  db: Queryable,
  tasks: readonly NewTask[],
  { skipHeld }: { readonly skipHeld: boolean },
): Promise<SubmitRow[]> {
  const { rows } = await db.query<{
    n: bigint
    outcome: SubmitRow['outcome']
    task_id: string | null
    created_at: Date
    available: bigint
  }>({
    name: 'submit-tasks',
    text: 'select n, outcome, task_id, created_at, available from submit_tasks($1, $2, $3) order by n',
    values: [submitArgument(tasks), IDEMPOTENCY_KEY_LIFETIME, skipHeld],
  })
  return rows.map((row): SubmitRow => {
    if (row.outcome === 'conflict' || row.outcome === 'busy') return { outcome: row.outcome }
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
      body: task.body === undefined ? undefined : JSON.stringify(task.body),
      client_request_id: task.clientRequestId,
      trace_id: uuidOf(task.traceId),
      callback_url: task.callbackUrl,
      upload_url: task.uploadUrl,
      price_credits: task.priceCredits.toString(),
      provider: task.provider,
      queue_seconds: QUEUE_DEADLINE_SECONDS,
      file_ids: fileIdsOf(task),
      key: task.idempotency?.key,
      fingerprint: task.idempotency?.fingerprint,
    })),
  )
}

/** The files that a task uses, each once; `undefined` if it uses none. */
function fileIdsOf({ request }: NewTask): string[] | undefined {
  if (request.references.length === 0) return undefined
  return [...new Set(request.references.map(({ fileId }) => uuidOf(fileId)))]
}

export interface AskedIdempotencyKey {
  readonly wallet: WalletId
  readonly key: string
}

/** What an idempotency key stands for: the task, and the fingerprint (hex) of its body. */
export interface UsedIdempotencyKey {
  readonly taskId: TaskId
  readonly fingerprint: string
}

/** What each of the keys stands for while it is remembered, in their order; `undefined` for one that was not used. */
export async function selectIdempotencyKeys(
  db: Queryable,
  asked: readonly AskedIdempotencyKey[],
): Promise<(UsedIdempotencyKey | undefined)[]> {
  const { rows } = await db.query<{ task_id: string | null; fingerprint: string | null }>({
    name: 'select-idempotency-keys',
    text: `select k.task_id, encode(k.fingerprint, 'hex') as fingerprint
           from unnest($1::bigint[], $2::text[]) with ordinality as asked (wallet_id, key, n)
           left join idempotency_keys k on k.wallet_id = asked.wallet_id and k.key = asked.key
             and k.created_at > now() - $3::interval
           order by asked.n`,
    values: [asked.map(({ wallet }) => wallet.toString()), asked.map(({ key }) => key), IDEMPOTENCY_KEY_LIFETIME],
  })
  return rows.map(({ task_id, fingerprint }) =>
    task_id === null || fingerprint === null ? undefined : { taskId: idOf('task', task_id), fingerprint },
  )
}

/** One task of one wallet; another wallet's is as absent as one that never was. */
export async function selectTask(db: Queryable, wallet: WalletId, id: TaskId): Promise<Task | undefined> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-task',
    text: `select ${TASK_COLUMNS}, ${SHOWN_BODY}, ${QUEUE_POSITION} from tasks t
           where t.id = $1 and t.wallet_id = $2 and t.removed_at is null`,
    values: [uuidOf(id), wallet],
  })
  return rows[0] === undefined ? undefined : taskOf(rows[0])
}

/** One task of one wallet, removed or not: what an idempotency key made stays its answer for as long as it is remembered. */
export async function selectTaskEvenRemoved(db: Queryable, wallet: WalletId, id: TaskId): Promise<Task | undefined> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-task-even-removed',
    text: `select ${TASK_COLUMNS}, ${QUEUE_POSITION} from tasks t where t.id = $1 and t.wallet_id = $2`,
    values: [uuidOf(id), wallet],
  })
  return rows[0] === undefined ? undefined : taskOf(rows[0])
}

/**
 * Several tasks of one wallet, those that there are, in the order of `ids`; one that is named twice is read, and answered,
 * once. With the bodies of those that `dialect` made.
 */
export async function selectTasksById(
  db: Queryable,
  { wallet, dialect, ids }: { readonly wallet: WalletId; readonly dialect: string; readonly ids: readonly TaskId[] },
): Promise<Task[]> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-tasks-by-id',
    text: `select ${TASK_COLUMNS}, case when t.dialect = $3 then ${SHOWN_BODY} end as body, ${QUEUE_POSITION}
           from unnest($1::uuid[]) with ordinality as asked (id, n)
           join tasks t on t.id = asked.id and t.wallet_id = $2 and t.removed_at is null order by asked.n`,
    values: [[...new Set(ids)].map(uuidOf), wallet, dialect],
  })
  return rows.map(taskOf)
}

/** A task of whatever wallet, removed or not: for what the platform itself has to do with it. */
export async function selectAnyTask(db: Queryable, id: TaskId): Promise<Task | undefined> {
  const { rows } = await db.query<TaskRow>({
    name: 'select-any-task',
    text: `select ${TASK_COLUMNS}, ${QUEUE_POSITION} from tasks t where t.id = $1`,
    values: [uuidOf(id)],
  })
  return rows[0] === undefined ? undefined : taskOf(rows[0])
}

/** Takes an ended task out of every list and has its files deleted at once. False if it has not ended. */
export async function removeTask(db: Queryable, id: TaskId): Promise<boolean> {
  const { rowCount } = await db.query(
    `with gone as (
       update tasks set removed_at = coalesce(removed_at, now()) where id = $1 and state = any ($2) returning id
     ), expired as (
       update media set expires_at = least(expires_at, now()) from gone where media.task_id = gone.id
     )
     select from gone`,
    [uuidOf(id), TERMINAL_STATES],
  )
  return rowCount === 1
}

/** A mark that differs when a task's state or progress does, for each of the tasks that there are. */
export async function selectMarks(db: Queryable, ids: readonly TaskId[]): Promise<Map<TaskId, string>> {
  const { rows } = await db.query<{ id: string; mark: string }>({
    name: 'select-marks',
    text: `select id, state || ' ' || progress as mark from tasks where id = any ($1)`,
    values: [ids.map(uuidOf)],
  })
  return new Map(rows.map(({ id, mark }) => [idOf('task', id), mark]))
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
 * its lease's end) is left to that step, which sees the request when it ends. A finished video that cannot be fetched or stored
 * is tried once more, and then given up. False if it is too far on, or parked.
 */
export async function requestCancel(db: Queryable, id: TaskId): Promise<boolean> {
  const { rowCount } = await db.query(
    `update tasks set cancel_requested_at = coalesce(cancel_requested_at, now()), updated_at = now(),
       due_at = case when lease_until is null or due_at < lease_until then least(due_at, now()) else due_at end
     where id = $1 and state = any ($2) and parked_at is null and (state <> 'collecting' or unanswered_polls > 0)`,
    [uuidOf(id), statesBefore('canceled').filter((state) => state !== 'queued')],
  )
  return rowCount === 1
}

/** Forgets idempotency keys past their lifetime; those that a create is replacing at this moment are left to it. */
export async function deleteOldIdempotencyKeys(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from idempotency_keys where ctid = any (array(
       select ctid from idempotency_keys where created_at <= now() - $2::interval
       order by created_at limit $1 for update skip locked))`,
    [limit, IDEMPOTENCY_KEY_LIFETIME],
  )
  return rowCount ?? 0
}
