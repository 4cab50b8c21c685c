/**
 * No statement that runs for a request, a poll or a sweep reads more than it answers, whatever the history: each is run on a
 * database whose tables have grown, by the plan that a prepared statement has, and what its steps met is counted.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { selectKeyHolder, selectKeys } from '../../src/accounts/queries.ts'
import { idOf, type TaskId } from '../../src/canonical/ids.ts'
import type { TaskState } from '../../src/canonical/task-state.ts'
import type { Queryable } from '../../src/db/database.ts'
import { deleteForgottenFiles, selectFiles } from '../../src/files/queries.ts'
import type { WalletId } from '../../src/ledger/queries.ts'
import { selectExpiredMedia } from '../../src/media/queries.ts'
import { deleteOldRefusals } from '../../src/moderation/queries.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { admitTasks, claimDueTasks } from '../../src/tasks/lease-queries.ts'
import { selectTasks, type TaskFilter } from '../../src/tasks/list-queries.ts'
import { selectAttempts } from '../../src/tasks/operator-queries.ts'
import {
  deleteOldIdempotencyKeys,
  removeTask,
  selectIdempotencyKeys,
  selectMarks,
  selectTask,
  selectTasksById,
  submitTasks,
} from '../../src/tasks/queries.ts'
import { selectQueued } from '../../src/tasks/reroute-queries.ts'
import { deleteOldDeliveries, selectDeliveries } from '../../src/webhooks/queries.ts'
import { newTask, openAccount } from '../faults/workshop.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { ExplainedPool } from '../support/explain.ts'

/** Rows of the wallet that has a history. */
const HISTORY = 20_000

/** Rows that a page shows. */
const PAGE = 20

/**
 * Rows that a step may meet beside those that it answers, or sort: what a page holds, or the places of a queue that are counted.
 */
const BOUND = 1_000

/** Tables that grow with use. */
const GROWING =
  /^(tasks|attempts|media|deliveries|ledger_transfers|idempotency_keys|files|task_files|moderation_refusals|file_blobs)$/

const STATES: readonly TaskState[] = [
  'queued',
  'submitting',
  'running',
  'collecting',
  'succeeded',
  'failed',
  'canceled',
  'expired',
]

describe('with a long history', () => {
  let database: TestDatabase
  let explained: ExplainedPool
  let wallet: WalletId
  const ids: TaskId[] = []

  before(async () => {
    database = await testDatabase()
    wallet = await openAccount(database.pool)
    const { rows } = await database.pool.query<{ id: string }>(SEED_TASKS, [wallet, HISTORY])
    ids.push(...rows.map(({ id }) => idOf('task', id)))
    for (let n = 0; n < 20; n += 1)
      await database.pool.query(SEED_QUEUE, [await openAccount(database.pool), `other ${n}`])
    for (const seed of SEEDS) await database.pool.query(seed, [wallet])
    await database.pool.query('analyze')
    explained = new ExplainedPool(database.url)
  })
  after(async () => {
    await explained[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
  })

  /** Runs a statement and returns what was wrong with its plans. */
  async function flawsOf(run: (db: ExplainedPool['pool']) => Promise<unknown>): Promise<string[]> {
    explained.taken()
    await run(explained.pool)
    const steps = explained.taken()
    assert.ok(steps.length > 0, 'no plan was seen')
    return steps.flatMap(({ statement, kind, relation = '', index = '', rows, discarded }) => {
      const isWide = kind === 'Seq Scan' && GROWING.test(relation)
      const isLong = rows > BOUND || discarded > 100
      return isWide || isLong
        ? [`${kind} ${relation} ${index}: ${rows} rows, ${discarded} discarded, by ${statement}`]
        : []
    })
  }

  const middle = () => ids[HISTORY / 2]
  const SHAPES: readonly (readonly [string, () => Partial<TaskFilter>])[] = [
    ['the newest', () => ({})],
    ['from the middle on', () => ({ after: middle() })],
    ['at the end of', () => ({ after: ids[5] })],
    ['of one rare state among', () => ({ states: ['canceled'] })],
    ['of one state from the middle on of', () => ({ states: ['failed'], after: middle() })],
    ['of two states of', () => ({ states: ['canceled', 'running'] })],
    ['of each state of', () => ({ states: STATES, after: middle() })],
  ]
  for (const order of ['newest first', 'oldest first'] as const) {
    for (const [shape, filter] of SHAPES) {
      it(`a page (${order}) ${shape} the tasks reads what it shows`, async () => {
        const base = { wallet, states: undefined, after: undefined, order, limit: PAGE }
        assert.deepEqual(await flawsOf((db) => selectTasks(db, { ...base, ...filter() })), [])
      })
    }
  }

  const STATEMENTS: readonly (readonly [string, (db: Queryable, task: TaskId) => Promise<unknown>])[] = [
    ['a task', (db, task) => selectTask(db, wallet, task)],
    ['tasks by their ids', (db) => selectTasksById(db, { wallet, dialect: 'test', ids: ids.slice(0, PAGE) })],
    ['marks of watched tasks', (db) => selectMarks(db, ids.slice(0, PAGE))],
    ['a create', (db) => submitTasks(db, [newTask(wallet, 'new', { idempotency: { key: 'k', fingerprint: '00' } })])],
    ['a key', (db) => selectIdempotencyKeys(db, [{ wallet, key: 'key 7' }])],
    ['a removal', (db, task) => removeTask(db, task)],
    ['a cancel', (db) => cancelTask(db, wallet, ids[1] ?? idOf('task', ''))],
    ['a claim', (db) => claimDueTasks(db, { provider: 'scripted', worker: 'w', limit: PAGE, leaseMs: 60_000 })],
    [
      'an admission',
      (db) =>
        admitTasks(db, {
          ...{ provider: 'scripted', worker: 'w', limit: 5, leaseMs: 60_000, concurrency: 500, affinity: 'any' },
          ...{ planLimits: { enterprise: 500 }, deadlineMs: 60_000 },
        }),
    ],
    ['a turn of rerouting', (db) => selectQueued(db, 'scripted', { after: undefined, limit: PAGE })],
    ['attempts at a task', (db, task) => selectAttempts(db, task)],
    ['deliveries of a task', (db, task) => selectDeliveries(db, { task, state: undefined, limit: PAGE })],
    ['the newest deliveries', (db) => selectDeliveries(db, { task: undefined, state: undefined, limit: PAGE })],
    ['failed deliveries', (db) => selectDeliveries(db, { task: undefined, state: 'failed', limit: PAGE })],
    ['files', (db) => selectFiles(db, { wallet, after: undefined, limit: PAGE })],
    ['expired media', (db) => selectExpiredMedia(db, PAGE)],
    ['keys of an account', async (db) => selectKeys(db, await accountOf())],
    ['the holder of a key', (db) => selectKeyHolder(db, Buffer.alloc(32))],
    ['forgetting idempotency keys', (db) => deleteOldIdempotencyKeys(db, PAGE)],
    ['forgetting deliveries', (db) => deleteOldDeliveries(db, { days: 30, limit: PAGE })],
    ['forgetting refusals', (db) => deleteOldRefusals(db, { days: 90, limit: PAGE })],
    ['forgetting files', (db) => deleteForgottenFiles(db, PAGE)],
  ]
  for (const [name, run] of STATEMENTS) {
    it(`${name}: the statement reads what it answers`, async () => {
      const task = middle()
      assert.ok(task)
      assert.deepEqual(await flawsOf((db) => run(db, task)), [])
    })
  }

  async function accountOf() {
    const { rows } = await database.pool.query<{ account_id: string }>('select account_id from wallets where id = $1', [
      wallet,
    ])
    return idOf('acct', rows[0]?.account_id ?? '')
  }
})

/** Ended tasks, but the last ones of each provider; every hundredth was canceled. */
const SEED_TASKS = `
  insert into tasks (id, wallet_id, dialect, model, request, body, trace_id, price_credits, state, provider, deadline_at,
      due_at, failure_reason, created_at)
    select gen_random_uuid(), $1, 'test', 'test-model', '{}', '{}', gen_random_uuid(), 0, seeded.state, 'scripted',
      now() + interval '1 day', now() + case when n % 2 = 0 then interval '1 hour' else interval '-1 second' end,
      case when seeded.state = 'failed' then 'generation_failed' end, now() - make_interval(secs => $2::integer - n)
    from generate_series(1, $2::integer) n cross join lateral (select case
        when n > $2 - 3000 then 'queued' when n > $2 - 3100 then 'running'
        when n % 500 = 0 then 'canceled' when n % 2 = 0 then 'failed' else 'succeeded' end as state) seeded
    order by n returning id`

/** Tasks that wait, of another wallet, for another provider. */
const SEED_QUEUE = `
  insert into tasks (id, wallet_id, dialect, model, request, body, trace_id, price_credits, provider, deadline_at)
    select gen_random_uuid(), $1, 'test', 'test-model', '{}', '{}', gen_random_uuid(), 0, $2, now() + interval '1 day'
    from generate_series(1, 200)`

const SEEDS = [
  `insert into attempts (id, task_id, number, provider, state) select gen_random_uuid(), id, 1, provider, 'failed' from tasks where wallet_id = $1`,
  `insert into media (id, task_id, kind, store_key, mime_type, size_bytes, sha256, expires_at)
     select gen_random_uuid(), id, 'video', id::text, 'video/mp4', 1, decode(repeat('00', 32), 'hex'), now() + interval '1 day'
     from tasks where wallet_id = $1 and state = 'succeeded'`,
  `insert into deliveries (id, task_id, account_id, kind, url, state, ended_at, created_at)
     select gen_random_uuid(), t.id, w.account_id, 'callback', 'https://example.com/', 'delivered', now(), t.created_at
     from tasks t join wallets w on w.id = t.wallet_id where t.wallet_id = $1 and t.state in ('succeeded', 'failed', 'canceled')`,
  `insert into idempotency_keys (wallet_id, key, fingerprint, task_id)
     select wallet_id, 'key ' || row_number() over (), decode('00', 'hex'), id from tasks where wallet_id = $1`,
  `with blobs as (
     insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes, stored_at)
       select gen_random_uuid(), $1, sha256(n::text::bytea), 'file ' || n, 'image/png', 1, now() from generate_series(1, 5000) n
       returning id
   )
   insert into files (id, wallet_id, blob_id, is_listed, kind, name, mime_type, size_bytes, sha256, expires_at)
     select gen_random_uuid(), $1, id, true, 'image', 'a', 'image/png', 1, decode(repeat('00', 32), 'hex'), now() + interval '1 day' from blobs`,
  `insert into task_files (task_id, file_id)
     select t.id, f.id from (select id, row_number() over () n from tasks where wallet_id = $1) t
     join (select id, row_number() over () n from files where wallet_id = $1) f using (n)`,
  // Their bytes are gone: no page walks through them.
  `insert into files (id, wallet_id, is_listed, kind, name, mime_type, size_bytes, sha256, expires_at)
     select gen_random_uuid(), $1, true, 'image', 'a', 'image/png', 1, decode(repeat('00', 32), 'hex'), now() - interval '1 day'
     from generate_series(1, 5000)`,
  `insert into moderation_refusals (id, account_id, trace_id, dialect, source, rule, category, prompt_sha256)
     select gen_random_uuid(), w.account_id, gen_random_uuid(), 'test', 'rules', 'r', 'c', decode(repeat('00', 32), 'hex')
     from wallets w, generate_series(1, 5000) where w.id = $1`,
]
