/** Canceling in each state, and against everything that can happen at the same time. A canceled task costs nothing. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, ScriptedProvider, type StartStep } from '../../test/support/scripted-provider.ts'
import { newId, type TaskId, uuidOf } from '../canonical/ids.ts'
import { isTerminal } from '../canonical/task-state.ts'
import type { WalletId } from '../ledger/queries.ts'
import { cancelTask } from './cancel.ts'
import { selectAttempts, selectUncertain } from './operator-queries.ts'

describe('canceling a task', () => {
  let shop: Workshop
  let wallet: WalletId
  let provider: ScriptedProvider

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
    provider = new ScriptedProvider({ videoPath: shop.videoPath })
    await shop.worker(provider)
  })
  after(() => shop[Symbol.asyncDispose]())

  const cancelsOf = (prompt: string) => provider.cancels.filter((call) => call.prompt === prompt).length

  it('that is queued ends it at once, and its credits return', async () => {
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'queued', { provider: 'nobody' })
    const outcome = await cancelTask(shop.pool, wallet, id)
    assert.ok(outcome.kind === 'canceled' && outcome.task.state === 'canceled')
    assert.equal(outcome.task.finalCredits, 0n)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('twice is once: the credits return once', async () => {
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'twice', { provider: 'nobody' })
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => cancelTask(shop.pool, wallet, id)))
    assert.deepEqual(new Set(outcomes.map((outcome) => outcome.kind)), new Set(['canceled']))
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('of another account, or of nobody, is not found, and nothing happens to it', async () => {
    const stranger = await shop.account()
    const id = await shop.create(wallet, 'mine', { provider: 'nobody' })
    assert.deepEqual(await cancelTask(shop.pool, stranger, id), { kind: 'not_found' })
    assert.deepEqual(await cancelTask(shop.pool, wallet, newId('task')), { kind: 'not_found' })
    assert.equal((await shop.read(wallet, id)).state, 'queued')
    await cancelTask(shop.pool, wallet, id)
  })

  it('while it is being submitted waits for the answer, so that the provider can be told to stop', async () => {
    let answer: ((step: StartStep) => void) | undefined
    provider.script('submitting', { start: [() => new Promise<StartStep>((resolve) => (answer = resolve))] })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'submitting')
    await until('the start is under way', () => answer !== undefined)
    assert.equal((await cancelTask(shop.pool, wallet, id)).kind, 'requested')
    assert.equal((await shop.read(wallet, id)).state, 'submitting')
    answer?.('accept')
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(cancelsOf('submitting'), 1)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('that runs tells the provider to stop, and its credits return', async () => {
    provider.script('running', { poll: [{ kind: 'pending', pollAfterMs: 60_000 }] })
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'running')
    await until('it runs', async () => (await shop.read(wallet, id)).state === 'running')
    // A worker may have done it before the answer is read.
    assert.ok(['requested', 'canceled'].includes((await cancelTask(shop.pool, wallet, id)).kind))
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'canceled')
    assert.equal(cancelsOf('running'), 1)
    assert.deepEqual(
      (await shop.attempts(id)).map((attempt) => attempt.state),
      ['canceled'],
    )
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('whose provider cannot be told to stop ends all the same', async () => {
    provider.script('deaf', {
      cancel: () => {
        throw new Error('ECONNREFUSED')
      },
    })
    const id = await shop.create(wallet, 'deaf')
    await until('it runs', async () => (await shop.read(wallet, id)).state === 'running')
    await cancelTask(shop.pool, wallet, id)
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
  })

  it('gives a provider that does not answer a bounded time to stop', async () => {
    let signal: AbortSignal | undefined
    provider.script('silent', {
      cancel: (call) => {
        signal = call.signal
        return new Promise((_resolve, reject) =>
          call.signal.addEventListener('abort', () => reject(call.signal.reason)),
        )
      },
    })
    const id = await shop.create(wallet, 'silent')
    await until('it runs', async () => (await shop.read(wallet, id)).state === 'running')
    await cancelTask(shop.pool, wallet, id)
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(signal?.aborted, true)
  })

  it('whose video is being delivered is too late: it succeeds and is charged', async () => {
    provider.script('delivered', { poll: [{ kind: 'succeeded', assets: [] }, 'video'] })
    const id = await shop.create(wallet, 'delivered')
    await until('it is being collected', async () => (await shop.read(wallet, id)).state === 'collecting')
    assert.equal((await cancelTask(shop.pool, wallet, id)).kind, 'too_late')
    await until('it is collected', async () => {
      await shop.hurry(id)
      return isTerminal((await shop.read(wallet, id)).state)
    })
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'succeeded')
    assert.equal(task.cancelRequested, false)
    assert.equal((await cancelTask(shop.pool, wallet, id)).kind, 'too_late')
  })

  it('while the poll that finds the video is under way is too late as well', async () => {
    let answer: ((step: PollStep) => void) | undefined
    provider.script('overtaken', { poll: [() => new Promise<PollStep>((resolve) => (answer = resolve))] })
    const id = await shop.create(wallet, 'overtaken')
    await until('the poll is under way', () => answer !== undefined)
    assert.equal((await cancelTask(shop.pool, wallet, id)).kind, 'requested')
    answer?.('video')
    const task = await shop.ended(wallet, id)
    assert.equal(task.state, 'succeeded')
    assert.equal(task.finalCredits, 10n)
  })

  it('races its admission: whoever wins, it is canceled and costs nothing', async () => {
    const before = await shop.balance(wallet)
    const ids = await Promise.all(Array.from({ length: 40 }, () => shop.create(wallet, 'admission race')))
    const outcomes = await Promise.all(ids.map((id) => cancelTask(shop.pool, wallet, id)))
    for (const [at, id] of ids.entries()) {
      assert.notEqual(outcomes[at]?.kind, 'too_late')
      assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    }
    assert.deepEqual(await shop.balance(wallet), before)
  })

  for (const [name, end, state] of [
    ['canceled', (id: TaskId) => cancelTask(shop.pool, wallet, id), 'canceled'],
    ['overdue', (id: TaskId) => shop.endGrace(id), 'expired'],
  ] as const) {
    it(`whose start is in doubt: once ${state}, its attempt still says that a job may be billed`, async () => {
      const doubtful = new ScriptedProvider({
        id: `doubtful ${name}`,
        startIsIdempotent: true,
        script: { start: ['accept, then lose the answer'] },
      })
      await shop.worker(doubtful)
      const id = await shop.create(wallet, name, { provider: doubtful.id })
      await until('its start is to be repeated', async () => {
        const { rows } = await shop.pool.query(
          `select from tasks t join attempts a on a.task_id = t.id
           where t.id = $1 and t.lease_owner is null and a.state = 'starting' and a.error is not null`,
          [uuidOf(id)],
        )
        return rows.length === 1
      })
      await end(id)
      assert.equal((await shop.ended(wallet, id)).state, state)
      const [attempt] = await selectAttempts(shop.pool, id)
      assert.equal(attempt?.state, 'uncertain')
      assert.notEqual(attempt?.endedAt, undefined)
      const open = await selectUncertain(shop.pool, 100)
      assert.ok(open.every(({ task }) => task !== id))
    })
  }

  it('that goes back to the queue while it is being canceled is canceled there, and costs nothing', async () => {
    const before = await shop.balance(wallet)
    const id = await shop.create(wallet, 'requeued', { provider: 'nobody' })
    await shop.pool.query(`update tasks set state = 'submitting' where id = $1`, [uuidOf(id)])
    let isMissed = false
    /** The database, where another provider's queue gets the task right after the first statement that misses it there. */
    const requeuing = new Proxy(shop.pool, {
      get: (pool, key) => {
        const query = Reflect.get(pool, key, pool)
        if (key !== 'query') return query
        return async (...statement: unknown[]) => {
          const result = await Reflect.apply(query, pool, statement)
          if (String(statement[0]).includes('settle_task') && !isMissed) {
            isMissed = true
            await pool.query(`update tasks set state = 'queued' where id = $1`, [uuidOf(id)])
          }
          return result
        }
      },
    })
    assert.equal((await cancelTask(requeuing, wallet, id)).kind, 'canceled')
    assert.ok(isMissed)
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('races its completion: each ends one way, and the money agrees', async () => {
    provider.script('completion race', {
      poll: [
        { kind: 'pending' },
        { kind: 'pending' },
        { kind: 'failed', failure: { reason: 'generation_failed', message: 'x' } },
      ],
    })
    const before = await shop.balance(wallet)
    const ids = await Promise.all(Array.from({ length: 40 }, () => shop.create(wallet, 'completion race')))
    await Promise.all(
      ids.map(async (id, at) => {
        await until('its turn', async () => (await shop.read(wallet, id)).state !== 'queued')
        if (at % 2 === 0) await until('it runs', async () => (await shop.read(wallet, id)).state !== 'submitting')
        return cancelTask(shop.pool, wallet, id)
      }),
    )
    const ends = await Promise.all(ids.map(async (id) => (await shop.ended(wallet, id)).state))
    assert.ok(
      ends.every((state) => state === 'canceled' || state === 'failed'),
      String(new Set(ends)),
    )
    assert.deepEqual(await shop.balance(wallet), before)
  })

  it('wakes the worker that holds the job, though its lease is kept between two polls', async () => {
    const keeper = new ScriptedProvider({ id: 'keeper', affinity: 'worker', pollEveryMs: 10 })
    keeper.script('kept', { poll: [{ kind: 'pending', pollAfterMs: 60_000 }] })
    await shop.worker(keeper)
    const id = await shop.create(wallet, 'kept', { provider: 'keeper' })
    await until('it is polled and kept', async () => {
      const { rows } = await shop.pool.query(
        `select from tasks where id = $1 and state = 'running' and lease_owner is not null and due_at > now() + interval '5 s'`,
        [uuidOf(id)],
      )
      return keeper.polls.length > 0 && rows.length === 1
    })
    await cancelTask(shop.pool, wallet, id)
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(keeper.cancels.length, 1)
  })
})
