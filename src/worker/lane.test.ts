/** Who gets a slot, who holds a lease, and what happens when workers die, stall, restart or have a wrong clock. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { announceSeed, openWorkshop, seededRandom, until, type Workshop } from '../../test/faults/workshop.ts'
import { ScriptedProvider, type StartStep } from '../../test/support/scripted-provider.ts'
import { PLANS } from '../accounts/plans.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import { openPool } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import { AcceptedJournal } from '../tasks/accepted-journal.ts'
import { DEFAULT_DEADLINES } from '../tasks/deadlines.ts'
import { admitTasks } from '../tasks/lease-queries.ts'
import { selectAttempts } from '../tasks/operator-queries.ts'
import { ProviderSet, planOf } from '../tasks/provider-set.ts'

const FAILED = { kind: 'failed', failure: { reason: 'generation_failed', message: 'As scripted.' } } as const

let shop: Workshop

async function createMany(wallet: WalletId, provider: string, count: number): Promise<TaskId[]> {
  return Promise.all(
    Array.from({ length: count }, (_, n) => shop.create(wallet, `${provider} ${n}`, { provider, priceCredits: 1n })),
  )
}

async function allEnded(provider: string): Promise<void> {
  await until(`all tasks of ${provider} have ended`, async () => {
    const { rows } = await shop.pool.query(
      `select from tasks where provider = $1 and state in ('queued', 'submitting', 'running', 'collecting') limit 1`,
      [provider],
    )
    return rows.length === 0
  })
}

/** Watches a count until `done`, and gives the largest that was seen. */
async function peakOf(text: string, values: readonly unknown[], done: () => Promise<boolean>): Promise<number> {
  let peak = 0
  await until('it is over', async () => {
    const { rows } = await shop.pool.query<{ n: number }>(text, [...values])
    peak = Math.max(peak, rows[0]?.n ?? 0)
    return done()
  })
  return peak
}

describe('admission', () => {
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  it('gives the only slot to an account with one task before another that has 200 in the queue', async () => {
    const busy = await shop.account()
    const rare = await shop.account()
    await createMany(busy, 'one-slot', 200)
    const single = await shop.create(rare, 'the single one', { provider: 'one-slot' })
    const provider = new ScriptedProvider({
      id: 'one-slot',
      concurrency: 1,
      pollEveryMs: 1,
      script: { poll: [FAILED] },
    })
    const worker = await shop.worker(provider)
    await shop.ended(rare, single)
    const place = provider.starts.findIndex((call) => call.prompt === 'the single one')
    assert.ok(place >= 0 && place <= 2, `it was number ${place + 1}`)
    await shop.stop(worker)
  })

  it('takes the tasks of one account in the order of their creation, and tells their place', async () => {
    const wallet = await shop.account()
    const ids: TaskId[] = []
    for (let n = 0; n < 6; n += 1) ids.push(await shop.create(wallet, `place ${n}`, { provider: 'in-order' }))
    for (const [place, id] of ids.entries()) assert.equal((await shop.read(wallet, id)).queuePosition, place)
    const provider = new ScriptedProvider({
      id: 'in-order',
      concurrency: 1,
      pollEveryMs: 1,
      script: { poll: [FAILED] },
    })
    await shop.worker(provider)
    await allEnded('in-order')
    assert.deepEqual(
      provider.starts.map((call) => call.prompt),
      ids.map((_, n) => `place ${n}`),
    )
    assert.equal((await shop.read(wallet, ids[0] ?? ids[1] ?? ('' as TaskId))).queuePosition, undefined)
  })

  it('admits several tasks of one account in one go', async () => {
    const wallet = await shop.account({ plan: 'pro' })
    await createMany(wallet, 'in-one-go', 10)
    const options = { provider: 'in-one-go', worker: 'me', limit: 50, concurrency: 50, affinity: 'any' } as const
    const limits = { planLimits: { free: 2, pro: 10, enterprise: 50 }, leaseMs: 60_000, deadlineMs: 60_000 }
    assert.equal((await admitTasks(shop.pool, { ...options, ...limits })).length, 10)
  })

  for (const plan of ['free', 'pro', 'enterprise'] as const) {
    const limit = PLANS[plan].concurrentTasks
    it(`never lets plan ${plan} have more than ${limit} tasks under way, with 4 workers admitting at once; and lets it have ${limit}`, async () => {
      const wallet = await shop.account({ plan })
      const provider = new ScriptedProvider({
        id: `plan-${plan}`,
        concurrency: 1_000,
        pollEveryMs: 5,
        script: { poll: [{ kind: 'pending' }, { kind: 'pending' }, FAILED] },
      })
      await createMany(wallet, provider.id, limit * 4)
      for (let n = 0; n < 4; n += 1) await shop.worker(provider)
      const text = `select count(*)::integer as n from tasks
                    where wallet_id = $1 and state in ('submitting', 'running', 'collecting')`
      const peak = await peakOf(text, [wallet], async () => {
        const { rows } = await shop.pool.query(
          `select from tasks where wallet_id = $1 and finished_at is null limit 1`,
          [wallet],
        )
        return rows.length === 0
      })
      assert.equal(peak, limit)
      assert.equal(provider.jobs.length, limit * 4)
    })
  }

  it('never gives a provider more jobs at once than it takes, with 4 workers admitting at once', async () => {
    const wallets = await Promise.all(Array.from({ length: 5 }, () => shop.account()))
    const provider = new ScriptedProvider({
      id: 'small',
      concurrency: 7,
      pollEveryMs: 5,
      script: { poll: [{ kind: 'pending' }, { kind: 'pending' }, FAILED] },
    })
    for (const wallet of wallets) await createMany(wallet, 'small', 20)
    for (let n = 0; n < 4; n += 1) await shop.worker(provider)
    const text = `select count(*)::integer as n from tasks
                  where provider = 'small' and state in ('submitting', 'running', 'collecting')`
    const peak = await peakOf(text, [], async () => {
      const { rows } = await shop.pool.query(
        `select from tasks where provider = 'small' and finished_at is null limit 1`,
      )
      return rows.length === 0
    })
    assert.equal(peak, 7)
    assert.equal(provider.jobs.length, 100)
  })

  it('gives each worker its own slots where jobs run inside the worker', async () => {
    const wallet = await shop.account()
    const make = () => new ScriptedProvider({ id: 'inside', concurrency: 3, affinity: 'worker', pollEveryMs: 5 })
    const [one, two] = [make(), make()]
    await createMany(wallet, 'inside', 10)
    await shop.worker(one)
    await shop.worker(two)
    await until('both are full', () => one.jobs.length + two.jobs.length >= 6)
    await until('they have polled on', () => one.polls.length > 20 && two.polls.length > 20)
    assert.deepEqual([one.jobs.length, two.jobs.length], [3, 3])
  })

  it('lets a provider that hangs delay no other', async () => {
    const wallet = await shop.account()
    const hung = new ScriptedProvider({ id: 'hung', script: { start: [() => new Promise<StartStep>(() => {})] } })
    const well = new ScriptedProvider({ id: 'well', script: { poll: [FAILED] } })
    const pool = openPool({ connectionString: shop.databaseUrl }, 4)
    await createMany(wallet, 'hung', 30)
    // Not the shop's to stop: its steps never end.
    const { Worker } = await import('./worker.ts')
    const { pino } = await import('pino')
    const { store, ingest } = shop
    const worker = new Worker({
      id: 'hung',
      pool,
      providers: new ProviderSet(planOf([hung, well])),
      deadlines: () => DEFAULT_DEADLINES,
      downloads: shop.folder,
      store,
      ingest,
      journal: new AcceptedJournal(join(shop.folder, 'journal')),
      cutAfterMs: 0,
      log: pino({ level: 'silent' }),
    })
    await worker.start()
    await until('30 calls hang', () => hung.starts.length === 30)
    const ids = await createMany(wallet, 'well', 10)
    for (const id of ids) assert.equal((await shop.ended(wallet, id)).state, 'failed')
    void worker.stop()
    await shop.pool.query(
      `select settle_task(id, null, array['submitting'], 'expired', 0, null, null, '[]') from tasks where provider = 'hung'`,
    )
    await pool.end()
  })
})

describe('a lease', () => {
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  for (const startIsIdempotent of [true, false]) {
    const how = startIsIdempotent ? 'idempotent' : 'not idempotent'
    it(`that runs out while its worker is slow to start a job (${how}): there is one job, which nobody cancels`, async () => {
      const wallet = await shop.account()
      let answer: ((step: StartStep) => void) | undefined
      const options = { id: `slow start ${how}`, startIsIdempotent }
      const upstream = new ScriptedProvider({
        ...options,
        script: {
          start: [() => new Promise<StartStep>((resolve) => (answer = resolve)), 'accept'],
          poll: [{ kind: 'pending' }, FAILED],
        },
      })
      const slow = await shop.worker(upstream)
      const id = await shop.create(wallet, 'slow', { provider: upstream.id })
      await until('the call is under way', () => answer !== undefined)
      const other = await shop.worker(upstream)
      await shop.endLease(id)
      // The other worker repeats what can be repeated; else it is in doubt, until the late answer ends the doubt.
      if (startIsIdempotent) await shop.ended(wallet, id)
      else await until('the attempt is uncertain', async () => (await shop.attempts(id))[0]?.state === 'uncertain')
      answer?.('accept')
      assert.equal((await shop.ended(wallet, id)).state, 'failed')
      await shop.stop(slow)
      await shop.stop(other)
      assert.deepEqual(
        (await shop.attempts(id)).map(({ number, state }) => [number, state]),
        [[1, 'failed']],
      )
      assert.equal(upstream.cancels.length, 0)
      assert.equal(upstream.jobs.length, 1)
      assert.equal(upstream.starts.length, startIsIdempotent ? 2 : 1)
      assert.equal(new Set(upstream.starts.map((call) => call.token)).size, 1)
    })
  }

  it('that runs out while its worker is slow to start a job, until the task has ended: the late job is canceled', async () => {
    const wallet = await shop.account()
    let answer: ((step: StartStep) => void) | undefined
    const upstream = new ScriptedProvider({
      id: 'too late',
      script: { start: [() => new Promise<StartStep>((resolve) => (answer = resolve))] },
    })
    const slow = await shop.worker(upstream)
    const id = await shop.create(wallet, 'too late', { provider: upstream.id })
    await until('the call is under way', () => answer !== undefined)
    const other = await shop.worker(upstream)
    await shop.endLease(id)
    await until('the attempt is uncertain', async () => (await shop.attempts(id))[0]?.state === 'uncertain')
    await shop.endTime(id)
    await shop.ended(wallet, id)
    answer?.('accept')
    await shop.stop(slow)
    await shop.stop(other)
    assert.equal((await shop.read(wallet, id)).state, 'expired')
    assert.equal((await shop.attempts(id))[0]?.state, 'uncertain')
    const [attempt] = await selectAttempts(shop.pool, id)
    assert.equal(attempt?.operation?.['job'], upstream.jobs[0]?.id, 'an operator finds the job')
    assert.deepEqual([upstream.jobs.length, upstream.cancels.length], [1, 1])
  })

  it('that runs out between being admitted and recording the attempt: the old worker may not call the provider', async () => {
    const wallet = await shop.account()
    const upstream = new ScriptedProvider({ id: 'between', script: { poll: [FAILED] } })
    const { setFaultHook } = await import('../observe/fault-point.ts')
    let go: (() => void) | undefined
    setFaultHook((point) => {
      if (point !== 'admit.committed' || go !== undefined) return
      return new Promise<void>((resolve) => (go = resolve))
    })
    const slow = await shop.worker(upstream)
    const id = await shop.create(wallet, 'between', { provider: 'between' })
    await until('it is admitted', () => go !== undefined)
    await shop.endLease(id)
    await shop.worker(upstream)
    await shop.ended(wallet, id)
    go?.()
    setFaultHook(undefined)
    await shop.stop(slow)
    assert.equal(upstream.starts.length, 1)
    assert.equal((await shop.attempts(id)).length, 1)
  })

  it('keeps two workers on one database from ever starting one task twice (seeded)', async (t) => {
    const seed = announceSeed(t)
    const random = seededRandom(seed)
    const wallets = await Promise.all(Array.from({ length: 8 }, () => shop.account()))
    const upstream = new ScriptedProvider({
      id: 'shared',
      concurrency: 20,
      pollEveryMs: 3,
      script: { poll: [{ kind: 'pending' }, FAILED] },
    })
    const pools = [0, 1].map(() => openPool({ connectionString: shop.databaseUrl }, 5))
    const workers = await Promise.all(pools.map((pool) => shop.worker(upstream, { pool })))
    const ids: { wallet: WalletId; id: TaskId }[] = []
    for (let n = 0; n < 200; n += 1) {
      const wallet = wallets[Math.floor(random() * wallets.length)] ?? 0n
      ids.push({ wallet, id: await shop.create(wallet, `task ${n}`, { provider: 'shared', priceCredits: 1n }) })
      if (random() < 0.3) for (const worker of workers) worker.wake()
    }
    await allEnded('shared')
    for (const worker of workers) await shop.stop(worker)
    for (const pool of pools) await pool.end()
    assert.equal(upstream.starts.length, 200)
    assert.equal(new Set(upstream.starts.map((call) => call.prompt)).size, 200)
    for (const { wallet, id } of ids) assert.equal((await shop.read(wallet, id)).state, 'failed')
  })

  it('of a dead worker is free at once when a worker with the same id starts', async () => {
    const wallet = await shop.account()
    const { setFaultHook } = await import('../observe/fault-point.ts')
    const upstream = new ScriptedProvider({ id: 'reborn', script: { poll: [FAILED] } })
    // A worker that was admitted a task and then died leaves exactly this.
    const id = await shop.create(wallet, 'reborn', { provider: 'reborn' })
    await admitTasks(shop.pool, {
      provider: 'reborn',
      worker: 'node-1',
      limit: 1,
      concurrency: 1,
      affinity: 'any',
      planLimits: { enterprise: 50 },
      leaseMs: 45_000,
      deadlineMs: 60_000,
    })
    const other = await shop.worker(upstream, { id: 'node-2' })
    await until('the other has looked', async () => {
      const { rows } = await shop.pool.query(`select from workers where id = 'node-2'`)
      return rows.length === 1
    })
    assert.equal((await shop.read(wallet, id)).state, 'submitting', 'another worker must wait for the lease')
    await shop.stop(other)
    assert.equal(upstream.starts.length, 0)
    setFaultHook(undefined)
    const leaseEnd = await leaseEndOf(id)
    await shop.worker(upstream, { id: 'node-1' })
    assert.equal((await shop.ended(wallet, id)).state, 'failed')
    assert.ok(await endedBefore(id, leaseEnd), 'the lease was not waited for')
  })
})

describe('a worker that stops', () => {
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  it('does not cut off a start that nobody could repeat: the job is taken over, not lost', async () => {
    const wallet = await shop.account()
    let answer: ((step: StartStep) => void) | undefined
    const upstream = new ScriptedProvider({
      id: 'unrepeatable',
      // Not polled before the worker has stopped.
      pollEveryMs: 60_000,
      script: {
        start: [
          ({ signal }) =>
            new Promise<StartStep>((resolve, reject) => {
              answer = resolve
              signal.addEventListener('abort', () => reject(signal.reason))
            }),
        ],
        poll: [FAILED],
      },
    })
    const worker = await shop.worker(upstream)
    const id = await shop.create(wallet, 'unrepeatable', { provider: 'unrepeatable' })
    await until('the call is under way', () => answer !== undefined)
    const stopped = shop.stop(worker)
    answer?.('accept')
    await stopped
    assert.deepEqual(await shop.attempts(id), [{ number: 1, state: 'accepted', error: null }])
    await shop.hurry(id)
    await shop.worker(upstream)
    assert.equal((await shop.ended(wallet, id)).state, 'failed')
    assert.equal(upstream.jobs.length, 1)
  })

  it('gives its leases back, so that another goes on at once, without an attempt more', async () => {
    const wallet = await shop.account()
    const make = () =>
      new ScriptedProvider({
        id: 'handed over',
        startIsIdempotent: true,
        affinity: 'worker',
        script: { poll: [{ kind: 'pending' }] },
      })
    const [first, second] = [make(), make()]
    second.script('handed over', { poll: [FAILED] })
    const worker = await shop.worker(first)
    const id = await shop.create(wallet, 'handed over', { provider: 'handed over' })
    await until('it runs', () => first.polls.length > 3)
    const leaseEnd = await leaseEndOf(id)
    await shop.stop(worker)
    await shop.worker(second)
    assert.equal((await shop.ended(wallet, id)).state, 'failed')
    assert.ok(await endedBefore(id, leaseEnd), 'the kept lease was not waited for')
    assert.equal(second.starts.length, 0)
    const { rows } = await shop.pool.query('select number, state from attempts where task_id = $1', [uuidOf(id)])
    assert.deepEqual(rows, [{ number: 1, state: 'failed' }])
  })
})

describe('a clock that is wrong', () => {
  const RealDate = Date

  /** Every `new Date()` and `Date.now()` of this process is off; parsing and given times are not. */
  function shiftClock(byMs: number): void {
    class ShiftedDate extends RealDate {
      constructor(...given: unknown[]) {
        if (given.length === 0) super(RealDate.now() + byMs)
        // biome-ignore lint/suspicious/noExplicitAny: the overloads of Date cannot be spread
        else super(...(given as [any]))
      }
      static override now(): number {
        return RealDate.now() + byMs
      }
    }
    globalThis.Date = ShiftedDate as DateConstructor
  }

  before(async () => {
    shop = await openWorkshop()
  })
  afterEach(() => {
    globalThis.Date = RealDate
  })
  after(() => shop[Symbol.asyncDispose]())

  for (const minutes of [-10, 10]) {
    it(`by ${minutes} minutes changes nothing: tasks start, pause, expire and succeed as by the database's`, async () => {
      shiftClock(minutes * 60_000)
      const provider = new ScriptedProvider({ id: `clock ${minutes}`, videoPath: shop.videoPath })
      provider.script('video', { poll: [{ kind: 'pending' }, 'video'] })
      provider.script('patience', { poll: [{ kind: 'pending', pollAfterMs: 30_000 }] })
      const wallet = await shop.account()
      const worker = await shop.worker(provider)
      const started = performance.now()
      const [video, patience] = [
        await shop.create(wallet, 'video', { provider: provider.id }),
        await shop.create(wallet, 'patience', { provider: provider.id }),
      ]
      const task = await shop.ended(wallet, video)
      assert.equal(task.state, 'succeeded')
      const { rows } = await shop.pool.query<{
        age: number
        keeps: number
        due: number
        left: number
        leased: boolean
      }>(
        `select extract(epoch from now() - t.created_at)::float8 as age,
           extract(epoch from m.expires_at - now())::float8 / 86400 as keeps,
           extract(epoch from p.due_at - now())::float8 as due,
           extract(epoch from p.deadline_at - now())::float8 as left, p.lease_owner is not null as leased
         from tasks t join media m on m.task_id = t.id and m.kind = 'video', tasks p where t.id = $1 and p.id = $2`,
        [uuidOf(video), uuidOf(patience)],
      )
      const seen = rows[0]
      const elapsed = (performance.now() - started) / 1_000
      assert.ok(seen && seen.age <= elapsed + 1, `${seen?.age} s old after ${elapsed} s`)
      assert.ok(Math.abs(seen.keeps - PLANS.enterprise.keepResultsDays) < 0.01, `kept for ${seen.keeps} days`)
      assert.ok(seen.due > 15 && seen.due <= 36, `polled again in ${seen.due} s`)
      assert.ok(seen.left > 59 * 60 && seen.left <= 60 * 60, `given up in ${seen.left} s`)
      assert.equal(provider.polls.filter((call) => call.prompt === 'patience').length, 1)
      await shop.endTime(patience)
      assert.equal((await shop.ended(wallet, patience)).state, 'expired')
      await shop.stop(worker)
    })
  }
})

/** When the present lease of a task runs out, by the database's clock. */
async function leaseEndOf(id: TaskId): Promise<Date> {
  const { rows } = await shop.pool.query<{ leaseUntil: Date | null }>(
    'select lease_until as "leaseUntil" from tasks where id = $1',
    [uuidOf(id)],
  )
  const end = rows[0]?.leaseUntil
  assert.ok(end, `${id} has no lease`)
  return end
}

/** Whether a task ended before a time of the database's clock. */
async function endedBefore(id: TaskId, end: Date): Promise<boolean> {
  const { rows } = await shop.pool.query('select from tasks where id = $1 and finished_at < $2', [uuidOf(id), end])
  return rows.length === 1
}
