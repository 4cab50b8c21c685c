import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, type Workshop } from '../../test/faults/workshop.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import { admitTasks, claimDueTasks, type LeasedTask } from './lease-queries.ts'
import { type SavedPoll, savePolls } from './poll-queries.ts'
import { PollSaver } from './poll-saver.ts'

const LEASE = { worker: 'me', limit: 100, leaseMs: 60_000 }
const LIMITS = { concurrency: 100, affinity: 'any', planLimits: { enterprise: 50 }, deadlineMs: 3_600_000 } as const

describe('saving polls', () => {
  let shop: Workshop
  let wallet: WalletId
  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
  })
  after(() => shop[Symbol.asyncDispose]())

  /** Tasks in this worker's hands that are under way at a provider of their own. */
  async function leased(provider: string, count: number): Promise<LeasedTask[]> {
    for (let n = 0; n < count; n += 1) await shop.create(wallet, `${provider} ${n}`, { provider, priceCredits: 1n })
    const tasks = await admitTasks(shop.pool, { ...LEASE, ...LIMITS, provider })
    await shop.pool.query(`update tasks set state = 'running' where provider = $1`, [provider])
    return tasks.map((task) => ({ ...task, state: 'running' }))
  }

  const pollOf = (task: LeasedTask, change: Partial<SavedPoll> = {}): SavedPoll => {
    return { task, progress: 40, found: 'pending', next: { inMs: 30_000, keepLeaseMs: undefined }, ...change }
  }

  /** The database, and what happens before each statement. */
  function watched(onStatement: () => void): Queryable {
    return new Proxy(shop.pool, {
      get: (pool, key) => {
        if (key === 'query') onStatement()
        return Reflect.get(pool, key, pool)
      },
    })
  }

  async function rowOf(id: TaskId) {
    const { rows } = await shop.pool.query<{
      progress: number
      unanswered: number
      gone: number
      owner: string | null
      seconds: number
    }>(
      `select progress, unanswered_polls as unanswered, gone_polls as gone, lease_owner as owner,
         extract(epoch from due_at - now())::float8 as seconds from tasks where id = $1`,
      [uuidOf(id)],
    )
    const [row] = rows
    assert.ok(row !== undefined)
    return row
  }

  it('gives each task its own outcome, in few statements', async () => {
    let statements = 0
    const counting = watched(() => {
      statements += 1
    })
    const saver = new PollSaver(counting)
    const tasks = await leased('many', 40)
    const saved = await Promise.all(
      tasks.map((task, n) =>
        saver.save(
          pollOf(task, {
            progress: n,
            found: n % 4 === 0 ? 'gone' : n % 2 === 0 ? 'pending' : 'nothing',
            next: { inMs: 10_000 + 1_000 * n, keepLeaseMs: n % 3 === 0 ? 5_000 : undefined },
          }),
        ),
      ),
    )
    assert.ok(saved.every((each) => each))
    assert.ok(statements <= 2, `${statements} statements`)
    for (const [n, { id }] of tasks.entries()) {
      const { seconds, ...row } = await rowOf(id)
      assert.deepEqual(row, {
        progress: n,
        unanswered: n % 2,
        gone: n % 4 === 0 ? 1 : 0,
        owner: n % 3 === 0 ? 'me' : null,
      })
      assert.ok(seconds > 0 && seconds <= 10 + n, `${n}: due in ${seconds} s`)
    }
  })

  it('changes nothing of a task whose lease was lost, and saves its neighbours', async () => {
    const saver = new PollSaver(shop.pool)
    const [lost, kept] = await leased('lost', 2)
    assert.ok(lost !== undefined && kept !== undefined)
    await shop.endLease(lost.id)
    await shop.hurry(lost.id)
    const [again] = await claimDueTasks(shop.pool, { ...LEASE, worker: 'another', provider: 'lost' })
    assert.equal(again?.id, lost.id)
    assert.deepEqual(await Promise.all([saver.save(pollOf(lost)), saver.save(pollOf(kept))]), [false, true])
    assert.deepEqual([(await rowOf(lost.id)).owner, (await rowOf(lost.id)).progress], ['another', 0])
    assert.equal((await rowOf(kept.id)).progress, 40)
  })

  it('leaves its connection as durable as it was', async () => {
    const [task] = await leased('durable', 1)
    assert.ok(task !== undefined)
    const client = await shop.pool.connect()
    try {
      const durability = async () =>
        (await client.query<{ synchronous_commit: string }>('show synchronous_commit')).rows[0]?.synchronous_commit
      await client.query('set synchronous_commit = on')
      assert.equal((await savePolls(client, [pollOf(task)])).size, 1)
      assert.equal(await durability(), 'on')
    } finally {
      client.release(true)
    }
  })

  it('never lets progress go back, and hurries what is to be canceled', async () => {
    const saver = new PollSaver(shop.pool)
    const [task] = await leased('back', 1)
    assert.ok(task !== undefined)
    await saver.save(pollOf(task, { next: { inMs: 30_000, keepLeaseMs: 60_000 } }))
    await shop.pool.query('update tasks set cancel_requested_at = now() where id = $1', [uuidOf(task.id)])
    await saver.save(pollOf(task, { progress: 10 }))
    const row = await rowOf(task.id)
    assert.equal(row.progress, 40)
    assert.ok(row.seconds <= 0)
  })

  it('fails every caller when the database is away, and works again afterwards', async () => {
    const [task, other] = await leased('away', 2)
    assert.ok(task !== undefined && other !== undefined)
    let isAway = true
    const flaky = watched(() => {
      if (isAway) throw new Error('away')
    })
    const saver = new PollSaver(flaky)
    const settled = await Promise.allSettled([saver.save(pollOf(task)), saver.save(pollOf(other))])
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    isAway = false
    assert.equal(await saver.save(pollOf(task)), true)
  })

  it('claims no more tasks that are to be started than there is room for, beside all that are to be polled', async () => {
    const tasks = await leased('mixed', 6)
    const ids = tasks.map(({ id }) => uuidOf(id))
    await shop.pool.query(
      `update tasks set lease_owner = null, lease_until = null, due_at = now(),
         state = case when id = any ($2) then 'submitting' else state end where id = any ($1)`,
      [ids, ids.slice(0, 4)],
    )
    const due = await claimDueTasks(shop.pool, { ...LEASE, provider: 'mixed', startsLimit: 1 })
    const states = due.map(({ state }) => state).sort()
    assert.deepEqual(states, ['running', 'running', 'submitting'])
    assert.ok(due.every(({ lateMs }) => lateMs >= 0 && lateMs < 60_000))
  })
})
