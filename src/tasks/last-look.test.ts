/** Time alone ends no task that a provider may have finished: at the deadline stands a look, and time without lookers is none. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { type PollStep, type Script, ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { releaseLeases } from './lease-queries.ts'

const PATIENT: PollStep = { kind: 'pending', pollAfterMs: 3_000_000 }

describe('a task at its deadline', () => {
  let shop: Workshop
  let wallet: WalletId

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account()
  })
  after(() => shop[Symbol.asyncDispose]())

  /** A task under way at a provider of its own, which has been looked at once and is not due for long. */
  async function underWay(name: string, poll: readonly PollStep[], script: Script = {}, options = {}) {
    const provider = new ScriptedProvider({
      id: name,
      videoPath: shop.videoPath,
      script: { ...script, poll: [PATIENT, ...poll] },
      ...options,
    })
    const worker = await shop.worker(provider)
    const id = await shop.create(wallet, name, { provider: name })
    await until('it is under way and not due', async () => {
      const { rows } = await shop.pool.query(
        `select from tasks where id = $1 and state = 'running' and due_at > now() + interval '1 minute'
           and due_at is distinct from lease_until`,
        [uuidOf(id)],
      )
      return rows.length === 1
    })
    return { provider, worker, id }
  }

  /** As if the whole platform had been away for `hours`, with the task's deadline in the middle. */
  async function wasAway(id: TaskId, hours: number): Promise<void> {
    await shop.pool.query(
      `update tasks set due_at = now() - make_interval(hours => $2),
         deadline_at = now() - make_interval(hours => $2) + interval '30 minutes'
       where id = $1`,
      [uuidOf(id), hours],
    )
  }

  const unanswered: readonly (readonly [string, PollStep])[] = [
    ['is not answered', new Error('ECONNREFUSED')],
    ['is answered with nonsense', new TypeError('"marinating" is no status')],
    ['is answered with patience alone', { kind: 'busy', pollAfterMs: 1 }],
    ['does not know the job for a moment', { kind: 'gone' }],
    ['finds it finished, but not the video yet', { kind: 'succeeded', assets: [] }],
  ]
  for (const [what, step] of unanswered) {
    it(`whose look ${what} is looked at again, and its video is taken`, async () => {
      const { provider, id } = await underWay(`unanswered: ${what}`, [step, step, 'video'])
      await shop.endTime(id)
      await until('it has ended', async () => {
        await shop.hurry(id)
        return (await shop.read(wallet, id)).finishedAt !== undefined
      })
      assert.equal((await shop.read(wallet, id)).state, 'succeeded')
      assert.equal(provider.cancels.length, 0)
    })
  }

  it('that finished between its last look and the deadline succeeds', async () => {
    const { id } = await underWay('just in time', ['video'])
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })

  it('that failed between its last look and the deadline fails', async () => {
    const failure = { reason: 'generation_failed', message: 'It broke.' } as const
    const { id } = await underWay('broke in time', [{ kind: 'failed', failure }])
    await shop.endTime(id)
    assert.deepEqual((await shop.ended(wallet, id)).failure, failure)
  })

  it('that is still pending then is canceled at the provider, and expires', async () => {
    const { provider, id } = await underWay('too slow', [{ kind: 'pending' }])
    const looks = provider.polls.length
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.equal(provider.polls.length, looks + 1)
    assert.equal(provider.cancels.length, 1)
  })

  it('whose provider is silent past the grace expires, and the operator reads that it may be billed', async () => {
    const { id } = await underWay('silent', [new Error('ECONNREFUSED')])
    await shop.endTime(id)
    await until('the look was not answered', async () => {
      const { rows } = await shop.pool.query('select from tasks where id = $1 and unanswered_polls > 0', [uuidOf(id)])
      return rows.length === 1
    })
    assert.equal((await shop.read(wallet, id)).state, 'running')
    await shop.endGrace(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.ok(shop.logged.some((line) => line.includes(id) && line.includes('may be finished, and billed')))
  })

  it('that a cancel reaches first is canceled', async () => {
    const { id } = await underWay('canceled at last', ['video'])
    await shop.pool.query(`update tasks set cancel_requested_at = now() where id = $1`, [uuidOf(id)])
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
  })

  it('that passed while no worker was there goes on: that time does not count', async () => {
    const { provider, worker, id } = await underWay('away', [{ kind: 'pending' }, { kind: 'pending' }, 'video'])
    await shop.stop(worker)
    await wasAway(id, 5)
    await shop.worker(provider)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    assert.equal(provider.cancels.length, 0)
  })

  it('that passed while its own worker was dead goes on: that it takes its leases back does not end the time', async () => {
    const { provider, worker, id } = await underWay('killed', [{ kind: 'pending' }, { kind: 'pending' }, 'video'])
    await shop.stop(worker)
    await wasAway(id, 5)
    await shop.pool.query(
      `update tasks set lease_owner = 'victim', lease_until = due_at, fence = fence + 1 where id = $1`,
      [uuidOf(id)],
    )
    assert.equal(await releaseLeases(shop.pool, 'victim'), 1)
    await shop.worker(provider)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })

  it('that passed while a step was stopped in the middle goes on', async () => {
    let answer: ((step: PollStep) => void) | undefined
    const stopped = () => new Promise<PollStep>((resolve) => (answer = resolve))
    const { id } = await underWay('frozen', [stopped, { kind: 'pending' }, 'video'])
    await shop.hurry(id)
    await until('the poll is under way', () => answer !== undefined)
    // As a process that was stopped for five hours finds it when it goes on, before anyone has taken the task up.
    await shop.pool.query(
      `update tasks set due_at = now() - interval '5 hours', lease_until = now() - interval '5 hours',
         deadline_at = now() - interval '4 hours' where id = $1`,
      [uuidOf(id)],
    )
    answer?.(PATIENT)
    await until('it was saved or taken up', async () => {
      await shop.hurry(id)
      return (await shop.read(wallet, id)).finishedAt !== undefined
    })
    assert.equal((await shop.read(wallet, id)).state, 'succeeded')
  })

  it('that passes while a look is under way is followed by one more look soon, however long a pause was asked for', async () => {
    let answer: ((step: PollStep) => void) | undefined
    const { id } = await underWay('overtaken', [() => new Promise<PollStep>((resolve) => (answer = resolve)), 'video'])
    await shop.hurry(id)
    await until('the poll is under way', () => answer !== undefined)
    await shop.endTime(id)
    answer?.(PATIENT)
    const seconds = await until('the next look is planned', async () => {
      const { rows } = await shop.pool.query<{ seconds: number }>(
        `select extract(epoch from due_at - now())::float8 as seconds from tasks
         where id = $1 and due_at is distinct from lease_until`,
        [uuidOf(id)],
      )
      return rows[0]?.seconds
    })
    assert.ok(seconds < 60, `due in ${seconds} s`)
    await shop.hurry(id)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
  })

  it('whose start is in doubt is repeated once more, and its job has its whole time', async () => {
    const provider = new ScriptedProvider({
      id: 'in doubt',
      startIsIdempotent: true,
      videoPath: shop.videoPath,
      script: { start: ['accept, then lose the answer', 'accept'], poll: [{ kind: 'pending' }, 'video'] },
    })
    await shop.worker(provider)
    const id = await shop.create(wallet, 'in doubt', { provider: 'in doubt' })
    await until('its start is to be repeated', async () => {
      const { rows } = await shop.pool.query(
        `select from tasks t join attempts a on a.task_id = t.id
         where t.id = $1 and t.lease_owner is null and a.state = 'starting' and a.error is not null`,
        [uuidOf(id)],
      )
      return rows.length === 1
    })
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'succeeded')
    assert.equal(provider.jobs.length, 1)
  })

  it('that nears before a provider accepts it does not cut the job short', async () => {
    const provider = new ScriptedProvider({
      id: 'accepted late',
      videoPath: shop.videoPath,
      script: {
        start: [
          async () => {
            await shop.pool.query(
              `update tasks set deadline_at = now() + interval '1 second' where provider = 'accepted late'`,
            )
            return 'accept' as const
          },
        ],
        poll: [PATIENT, 'video'],
      },
    })
    await shop.worker(provider)
    const id = await shop.create(wallet, 'late', { provider: 'accepted late' })
    await until('it was looked at', () => provider.polls.length === 1)
    const seconds = await until('its deadline is far', async () => {
      const { rows } = await shop.pool.query<{ seconds: number }>(
        `select extract(epoch from deadline_at - now())::float8 as seconds from tasks where id = $1`,
        [uuidOf(id)],
      )
      return rows[0]?.seconds
    })
    assert.ok(seconds > 3_000, `${seconds} s are left`)
    await shop.hurry(id)
    await until('it has ended', async () => {
      await shop.hurry(id)
      return (await shop.read(wallet, id)).state === 'succeeded'
    })
  })
})
