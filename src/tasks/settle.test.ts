/** Many may try to end a task; one does, and the credits move once. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { announceSeed, newTask, openWorkshop, seededRandom, until, type Workshop } from '../../test/faults/workshop.ts'
import { ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { idOf, newId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { cancelTask } from './cancel.ts'
import { claimDueTasks, type LeasedTask } from './lease-queries.ts'
import { selectTask, submitTasks } from './queries.ts'
import { expireInDoubt, expireQueued, type Settlement, settleTask } from './settle-queries.ts'

describe('settling a task', () => {
  let shop: Workshop
  let wallet: WalletId

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account({ credits: 100_000n })
  })
  after(() => shop[Symbol.asyncDispose]())

  /** A running task in the hands of a worker that this test plays. */
  async function leased(provider: string): Promise<LeasedTask> {
    const id = await shop.create(wallet, 'a test', { provider })
    await shop.pool.query(
      `update tasks set state = 'collecting', due_at = now(), deadline_at = now() + interval '1 hour' where id = $1`,
      [uuidOf(id)],
    )
    const [task] = await claimDueTasks(shop.pool, { provider, worker: 'me', limit: 1, leaseMs: 60_000 })
    assert.ok(task)
    return task
  }

  function endsOf(task: LeasedTask): Settlement[] {
    const media = {
      id: uuidOf(newId('med')),
      kind: 'video',
      store_key: `test/${task.id}.mp4`,
      mime_type: 'video/mp4',
      size_bytes: 1,
      sha256: '00'.repeat(32),
      width: null,
      height: null,
      duration_seconds: null,
      keep_seconds: 60,
    } as const
    return [
      { state: 'succeeded', captureCredits: task.priceCredits, media: [media] },
      { state: 'failed', reason: 'generation_failed', message: 'It broke.' },
      { state: 'expired' },
      { state: 'canceled' },
    ]
  }

  it('by 8 at once is done by exactly one of them, whose word the money follows', async (t) => {
    const seed = announceSeed(t)
    const random = seededRandom(seed)
    for (let round = 0; round < 25; round += 1) {
      const task = await leased('raced')
      const before = await shop.balance(wallet)
      const ends = endsOf(task)
      const tries = Array.from(
        { length: 8 },
        () => ends[Math.floor(random() * ends.length)] ?? { state: 'expired' as const },
      )
      const won = await Promise.all(tries.map((end) => settleTask(shop.pool, task, end)))
      const winners = tries.filter((_, at) => won[at])
      assert.equal(winners.length, 1, `seed ${seed}, round ${round}`)
      const after = await shop.balance(wallet)
      const succeeded = winners[0]?.state === 'succeeded'
      assert.equal(after.spent - before.spent, succeeded ? 10n : 0n)
      assert.equal(after.available - before.available, succeeded ? 0n : 10n)
    }
  })

  it('is refused to whoever lost the lease', async () => {
    const stale = await leased('changed hands')
    await shop.endLease(stale.id)
    const [fresh] = await claimDueTasks(shop.pool, {
      provider: 'changed hands',
      worker: 'other',
      limit: 1,
      leaseMs: 60_000,
    })
    assert.equal(fresh?.id, stale.id)
    for (const end of endsOf(stale)) assert.equal(await settleTask(shop.pool, stale, end), false)
    assert.equal((await selectTask(shop.pool, wallet, stale.id))?.state, 'collecting')
    assert.ok(fresh && (await settleTask(shop.pool, fresh, { state: 'expired' })))
  })

  it('leaves nothing behind when the database fails in the middle, and is done by the next try', async () => {
    const provider = new ScriptedProvider({ id: 'unlucky', videoPath: shop.videoPath, script: { poll: ['video'] } })
    await shop.pool.query(`
      create table luck (failures integer); insert into luck values (2);
      create function unlucky() returns trigger language plpgsql as $$
        begin
          if new.kind = 'capture' and (select failures from luck) > 0 then raise exception 'out of luck'; end if;
          return new;
        end $$;
      create trigger unlucky before insert on ledger_transfers for each row execute function unlucky()`)
    const before = await shop.balance(wallet)
    await shop.worker(provider)
    const id = await shop.create(wallet, 'unlucky', { provider: 'unlucky' })
    await until('settling failed', () => shop.logged.some((line) => line.includes('out of luck')))
    const during = await shop.read(wallet, id)
    assert.equal(during.state, 'collecting')
    assert.equal((await shop.balance(wallet)).spent, before.spent)
    await shop.pool.query('drop trigger unlucky on ledger_transfers')
    await until('it was tried again', async () => {
      await shop.hurry(id)
      return (await shop.read(wallet, id)).state === 'succeeded'
    })
    assert.equal((await shop.balance(wallet)).spent - before.spent, 10n)
    assert.equal(provider.jobs.length, 1)
  })
})

describe('a task whose provider was removed while it was open', () => {
  let shop: Workshop
  let wallet: WalletId

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account({ credits: 100n })
  })
  after(() => shop[Symbol.asyncDispose]())

  it('keeps its hold past its deadline, in case the provider comes back', async () => {
    const id = await shop.create(wallet, 'in time', { provider: 'gone' })
    await shop.pool.query(
      `update tasks set state = 'running', due_at = now() - interval '3 hours', deadline_at = now() - interval '2 hours'
       where id = $1`,
      [uuidOf(id)],
    )
    assert.deepEqual((await expireInDoubt(shop.pool, { limit: 10, except: [] })).ended, [])
    assert.equal((await shop.read(wallet, id)).state, 'running')
  })

  it('whose start is in doubt ends with its time: no look would tell more', async () => {
    const id = await shop.create(wallet, 'in doubt', { provider: 'gone' })
    await shop.pool.query(
      `with late as (
         update tasks set state = 'submitting', due_at = now(), deadline_at = now() - interval '1 second' where id = $1
       )
       insert into attempts (id, task_id, number, provider, state) values (gen_random_uuid(), $1, 1, 'gone', 'uncertain')`,
      [uuidOf(id)],
    )
    await shop.worker(new ScriptedProvider())
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    const { available, held } = await shop.balance(wallet)
    assert.deepEqual([available, held], [90n, 10n])
  })

  it('goes on when its provider is configured again', async () => {
    const { rows } = await shop.pool.query<{ id: string }>(
      `select id from tasks where state = 'running' and provider = 'gone'`,
    )
    const id = idOf('task', rows[0]?.id ?? '')
    await shop.pool.query(
      `insert into attempts (id, task_id, number, provider, state, operation)
       values (gen_random_uuid(), $1, 1, 'gone', 'accepted', '{"job": "job-1", "prompt": "in time"}')`,
      [uuidOf(id)],
    )
    await shop.worker(new ScriptedProvider({ id: 'gone', videoPath: shop.videoPath, script: { poll: ['video'] } }))
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })
})

describe('a task that waits in the queue', () => {
  let shop: Workshop

  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  it('past its deadline expires, in batches, and its credits return; one in time stays', async () => {
    const wallet = await shop.account({ credits: 100n })
    const ids = await Promise.all(Array.from({ length: 5 }, () => shop.create(wallet, 'late', { provider: 'nobody' })))
    const waiting = await shop.create(wallet, 'in time', { provider: 'nobody' })
    for (const id of ids) await shop.endTime(id)
    assert.equal((await expireQueued(shop.pool, { limit: 3, except: [] })).ended.length, 3)
    assert.equal((await expireQueued(shop.pool, { limit: 3, except: [] })).ended.length, 2)
    assert.equal((await expireQueued(shop.pool, { limit: 3, except: [] })).ended.length, 0)
    for (const id of ids) assert.equal((await shop.read(wallet, id)).state, 'expired')
    assert.equal((await shop.read(wallet, waiting)).state, 'queued')
    assert.equal((await shop.balance(wallet)).available, 90n)
  })

  it('is expired by the worker itself, without anybody asking', async () => {
    const wallet = await shop.account({ credits: 100n })
    const id = await shop.create(wallet, 'late', { provider: 'nobody' })
    await shop.endTime(id)
    await shop.worker(new ScriptedProvider())
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.equal((await shop.balance(wallet)).available, 100n)
  })

  it('expires while its owners cancel it and create others, on several nodes, and nothing deadlocks', async () => {
    const wallets = await Promise.all(Array.from({ length: 6 }, () => shop.account({ credits: 10_000n })))
    for (let round = 0; round < 5; round += 1) {
      const made: { wallet: WalletId; id: TaskId }[] = []
      for (let at = 0; at < 90; at += 1) {
        const wallet = wallets[(at * 5 + round) % 6] ?? 0n
        made.push({ wallet, id: await shop.create(wallet, `${at}`, { provider: 'nobody', priceCredits: 1n }) })
      }
      await shop.pool.query(
        `update tasks set deadline_at = now() - make_interval(secs => random()) where state = 'queued'`,
      )
      const creates = Array.from({ length: 8 }, (_, at) => {
        const order = at % 2 === 0 ? wallets : [...wallets].reverse()
        return submitTasks(
          shop.pool,
          order.map((wallet) => newTask(wallet, 'another', { provider: 'elsewhere', priceCredits: 1n })),
        )
      })
      const cancels = made.slice(0, 30).map(({ wallet, id }) => cancelTask(shop.pool, wallet, id))
      const expiries = Array.from({ length: 3 }, () => expireQueued(shop.pool, { limit: 200, except: [] }))
      const done = await Promise.allSettled([...creates, ...cancels, ...expiries])
      const failed = done.filter((each) => each.status === 'rejected')
      assert.deepEqual(
        failed.map((each) => String(each.reason)),
        [],
      )
      await expireQueued(shop.pool, { limit: 200, except: [] })
      for (const { wallet, id } of made) assert.match((await shop.read(wallet, id)).state, /^(expired|canceled)$/)
    }
  })
})
