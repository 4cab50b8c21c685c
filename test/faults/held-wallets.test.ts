/** A wallet that another session holds delays what needs that wallet, and nothing else. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type pg from 'pg'
import { type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import { openPool } from '../../src/db/database.ts'
import type { WalletId } from '../../src/ledger/queries.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { admitTasks } from '../../src/tasks/lease-queries.ts'
import { cancelUnheard, expireQueued } from '../../src/tasks/settle-queries.ts'
import { Submitter } from '../../src/tasks/submit.ts'
import { waitFor } from '../support/patience.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { newTask, openWorkshop, type Workshop } from './workshop.ts'

describe('a wallet that another session holds', () => {
  let shop: Workshop
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  /** Holds a wallet's row until it is told to let go. */
  async function hold(wallet: WalletId, lock: 'for update' | 'for no key update'): Promise<() => Promise<void>> {
    const client: pg.PoolClient = await shop.pool.connect()
    await client.query('begin')
    await client.query(`select from wallets where id = $1 ${lock}`, [wallet])
    return async () => {
      await client.query('rollback')
      client.release()
    }
  }

  /** Waits until a statement waits for a lock. */
  const untilBlocked = (statement: string) =>
    waitFor(`${statement} to wait for a lock`, async () => {
      const { rows } = await shop.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
        [`%${statement}%`],
      )
      return rows.length > 0
    })

  for (const lock of ['for update', 'for no key update'] as const) {
    it(`${lock} delays its own creates alone, however many are tried`, async () => {
      const [held, free] = [await shop.account(), await shop.account()]
      const node = new Submitter(shop.pool)
      const letGo = await hold(held, lock)
      const order: string[] = []
      const create = async (wallet: WalletId, name: string) => {
        const outcome = await node.submit(newTask(wallet, name))
        order.push(name)
        return outcome.kind
      }
      const own = Array.from({ length: 50 }, (_, n) => create(held, `held ${n}`))
      for (let n = 0; n < 20; n++) assert.equal(await create(free, `free ${n}`), 'created')
      assert.ok(
        order.every((name) => name.startsWith('free')),
        String(order),
      )
      await letGo()
      assert.deepEqual(new Set(await Promise.all(own)), new Set(['created']))
    })
  }

  it('for long has its creates refused as busy; others pass meanwhile, and its own do afterwards', async () => {
    const [held, free] = [await shop.account(), await shop.account()]
    const node = new Submitter(shop.pool)
    const letGo = await hold(held, 'for update')
    const balance = await shop.balance(held)
    const refused = node.submit(newTask(held, 'waits'))
    assert.equal((await node.submit(newTask(free, 'passes'))).kind, 'created')
    assert.equal((await refused).kind, 'busy')
    await letGo()
    assert.deepEqual(await shop.balance(held), balance)
    assert.equal((await node.submit(newTask(held, 'comes again'))).kind, 'created')
  })

  for (const lock of ['for update', 'for no key update'] as const) {
    it(`${lock} delays neither its task’s queue nor admission of others, at any provider`, async () => {
      const [held, free] = [await shop.account(), await shop.account()]
      const own = await shop.create(held, 'canceled', { provider: 'one' })
      const [first, second] = [
        await shop.create(free, 'first', { provider: 'one' }),
        await shop.create(free, 'second', { provider: 'two' }),
      ]
      const letGo = await hold(held, lock)
      const canceled = cancelTask(shop.pool, held, own)
      await untilBlocked('settle_task')
      const admit = (provider: string) =>
        admitTasks(shop.pool, {
          ...{ provider, worker: 'w', limit: 5, leaseMs: 60_000, concurrency: 5, affinity: 'any' },
          ...{ planLimits: { enterprise: 50 }, deadlineMs: 60_000 },
        })
      const admitted = [...(await admit('one')), ...(await admit('two'))].map(({ id }) => id)
      assert.ok(admitted.includes(first) && admitted.includes(second), String(admitted))
      await letGo()
      assert.ok(['canceled', 'requested'].includes((await canceled).kind))
    })
  }

  it('whose only task another session holds costs others no slot', async () => {
    const [stuck, free] = [await shop.account(), await shop.account()]
    const own = await shop.create(stuck, 'stuck', { provider: 'narrow' })
    const other = await shop.create(free, 'other', { provider: 'narrow' })
    const client = await shop.pool.connect()
    await client.query('begin')
    await client.query('select from tasks where id = $1 for update', [uuidOf(own)])
    const admitted = await admitTasks(shop.pool, {
      ...{ provider: 'narrow', worker: 'w', limit: 1, leaseMs: 60_000, concurrency: 1, affinity: 'any' },
      ...{ planLimits: { enterprise: 50 }, deadlineMs: 60_000 },
    })
    assert.deepEqual(
      admitted.map(({ id }) => id),
      [other],
    )
    await client.query('rollback')
    client.release()
  })

  it('delays no expiry of others, and its own tasks expire afterwards', async () => {
    const [held, free] = [await shop.account(), await shop.account()]
    const own = await Promise.all([1, 2, 3].map((n) => shop.create(held, `own ${n}`, { provider: 'nobody' })))
    const other = await shop.create(free, 'other', { provider: 'nobody' })
    for (const id of [...own, other]) await shop.endTime(id)
    const letGo = await hold(held, 'for no key update')
    const found = await expireQueued(shop.pool, { limit: 100, except: [] })
    assert.deepEqual([found.ended, new Set(found.busy)], [[other], new Set(own)])
    await letGo()
    const after = await expireQueued(shop.pool, { limit: 100, except: [] })
    assert.deepEqual(new Set(after.ended), new Set(own))
  })

  it('delays no other cancel of a task whose provider is missing, and its own comes afterwards', async () => {
    const [held, free] = [await shop.account(), await shop.account()]
    const [own, other] = [await shop.create(held, 'own'), await shop.create(free, 'other')]
    await shop.pool.query(
      `update tasks set state = 'running', cancel_requested_at = now(), parked_at = now(), due_at = 'infinity',
         parked_because = 'provider_missing', parked_left = '1 hour', deadline_at = 'infinity' where id = any ($1)`,
      [[own, other].map(uuidOf)],
    )
    const letGo = await hold(held, 'for no key update')
    const found = await cancelUnheard(shop.pool, { limit: 100, except: [] })
    assert.deepEqual([found.ended, found.busy], [[other], [own]])
    await letGo()
    assert.deepEqual((await cancelUnheard(shop.pool, { limit: 100, except: [] })).ended, [own])
    assert.equal((await shop.read(held, own)).state, 'canceled')
  })

  it('takes no connection from the ends of other tasks, however many of its own end', async () => {
    const [held, free] = [await shop.account(), await shop.account()]
    let mayEnd = false
    const failed = { kind: 'failed', failure: { reason: 'generation_failed', message: 'As scripted.' } } as const
    const provider = new ScriptedProvider({
      id: 'ends at once',
      script: { poll: [() => (mayEnd ? failed : { kind: 'pending' })] },
    })
    const pool = openPool({ connectionString: shop.databaseUrl }, 4)
    const worker = await shop.worker(provider, { pool })
    try {
      const own = await Promise.all(
        Array.from({ length: 12 }, (_, n) => shop.create(held, `own ${n}`, { provider: provider.id })),
      )
      const other = await shop.create(free, 'other', { provider: provider.id })
      const ids = [...own, other].map(uuidOf)
      await waitFor('all to run', async () => {
        const { rows } = await shop.pool.query(`select from tasks where id = any ($1) and state = 'running'`, [ids])
        return rows.length === ids.length
      })
      const letGo = await hold(held, 'for no key update')
      await shop.pool.query(`update tasks set due_at = 'infinity' where id = $1`, [uuidOf(other)])
      mayEnd = true
      await untilBlocked('settle_task')
      await shop.pool.query('update tasks set due_at = now() where id = $1', [uuidOf(other)])
      assert.equal((await shop.ended(free, other)).state, 'failed')
      assert.ok(!shop.logged.some((line) => line.includes('statement timeout')), 'it waited for statements to be ended')
      await letGo()
      for (const id of own) assert.equal((await shop.ended(held, id)).state, 'failed')
    } finally {
      await shop.stop(worker)
      await pool.end()
    }
  })
})

describe('an overdue task that the database refuses to end', () => {
  it('stops no other: the others expire, and it is named', async () => {
    await using shop = await openWorkshop()
    const wallet = await shop.account()
    const ids: TaskId[] = []
    for (let n = 0; n < 20; n++) ids.push(await shop.create(wallet, `overdue ${n}`, { provider: 'nobody' }))
    const poison = ids[0]
    assert.ok(poison !== undefined)
    for (const id of ids) await shop.endTime(id)
    await shop.pool.query(
      `create function refuse_end() returns trigger language plpgsql as $$
       begin raise exception 'this row is poisoned' using errcode = 'check_violation'; end $$;
       create trigger poison before update on tasks for each row when (old.id = '${uuidOf(poison)}') execute function refuse_end()`,
    )
    await shop.worker(new ScriptedProvider())
    for (const id of ids.slice(1)) assert.equal((await shop.ended(wallet, id)).state, 'expired')
    await waitFor('the poison to be named', () => shop.logged.some((line) => line.includes(poison)))
    assert.equal((await shop.read(wallet, poison)).state, 'queued')
  })
})
