/** Where a task goes when a provider surely did not begin it; and that it goes nowhere when nobody knows. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { ScriptedProvider, type StartStep } from '../../test/support/scripted-provider.ts'
import { uuidOf } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'
import { planOf } from './provider-set.ts'
import { moveQueued } from './reroute-queries.ts'

const TOO_LONG: StartStep = {
  kind: 'rejected',
  because: 'request',
  failure: { reason: 'unsupported_input', message: 'Too long.' },
}
const MODERATED: StartStep = {
  kind: 'rejected',
  because: 'policy',
  failure: { reason: 'moderated', message: 'No.' },
}
const BUSY: StartStep = {
  kind: 'rejected',
  because: 'busy',
  failure: { reason: 'provider_unavailable', message: 'Busy.' },
}
const WRONG_KEY: StartStep = {
  kind: 'rejected',
  because: 'credentials',
  failure: { reason: 'provider_unavailable', message: 'Not available.' },
}
const UNREACHABLE: StartStep = { kind: 'undelivered', cause: 'ECONNREFUSED' }

describe('a route of two providers', () => {
  let shop: Workshop
  let wallet: WalletId
  let main: ScriptedProvider
  let spare: ScriptedProvider

  before(async () => {
    shop = await openWorkshop()
    wallet = await shop.account({ plan: 'enterprise' })
    main = new ScriptedProvider({ id: 'main', videoPath: shop.videoPath, script: { poll: ['video'] } })
    spare = new ScriptedProvider({ id: 'spare', videoPath: shop.videoPath, script: { poll: ['video'] } })
    await shop.worker(planOf([main, spare]))
  })
  after(() => shop[Symbol.asyncDispose]())

  const create = (prompt: string) => shop.create(wallet, prompt, { provider: 'main' })
  const providersOf = async (id: Awaited<ReturnType<typeof create>>) => {
    const attempts = await shop.attempts(id)
    return attempts.map(({ number, state }) => `${number} ${state}`)
  }

  for (const [name, step, state] of [
    ['cannot take a request', TOO_LONG, 'rejected'],
    ['is busy', BUSY, 'rejected'],
    ['refuses our key', WRONG_KEY, 'rejected'],
    ['is not reached', UNREACHABLE, 'undelivered'],
  ] as const) {
    it(`gives the task to the second when the first ${name}, and charges the quoted price once`, async () => {
      main.script(name, { start: [step] })
      const before = await shop.balance(wallet)
      const id = await create(name)
      const task = await shop.ended(wallet, id)
      assert.deepEqual([task.state, task.provider, task.finalCredits], ['succeeded', 'spare', 10n])
      assert.deepEqual(await providersOf(id), [`1 ${state}`, '2 succeeded'])
      assert.deepEqual([main.startsOf(name), spare.jobsOf(name)], [1, 1])
      assert.equal((await shop.balance(wallet)).spent - before.spent, 10n)
    })
  }

  it('blames nobody, and asks nobody else, for a file of ours that cannot be read: it is tried again', async () => {
    const unreadable: StartStep = { kind: 'undelivered', cause: 'the bucket is away', isOurs: true }
    main.script('our fault', { start: [unreadable, 'accept'], poll: ['video'] })
    const id = await create('our fault')
    const task = await shop.ended(wallet, id)
    assert.deepEqual([task.state, task.provider], ['succeeded', 'main'])
    assert.deepEqual(await providersOf(id), ['1 undelivered', '2 succeeded'])
    assert.equal(spare.startsOf('our fault'), 0)
  })

  it('asks nobody else when a content policy refuses', async () => {
    main.script('moderated', { start: [MODERATED] })
    const task = await shop.ended(wallet, await create('moderated'))
    assert.deepEqual([task.state, task.failure?.reason, task.finalCredits], ['failed', 'moderated', 0n])
    assert.equal(spare.startsOf('moderated'), 0)
  })

  it('gives an ambiguous attempt to nobody: it is uncertain, and its hold stays', async () => {
    main.script('doubt', { start: ['accept, then lose the answer'] })
    const before = await shop.balance(wallet)
    const id = await create('doubt')
    await until('it is uncertain', async () => (await shop.attempts(id)).at(-1)?.state === 'uncertain')
    assert.equal((await shop.balance(wallet)).held - before.held, 10n)
    await shop.endTime(id)
    assert.equal((await shop.ended(wallet, id)).state, 'expired')
    assert.deepEqual([main.jobsOf('doubt'), spare.startsOf('doubt')], [1, 0])
    assert.equal((await shop.balance(wallet)).held, before.held)
  })

  it('fails a task that neither can take, in words of the last', async () => {
    main.script('nobody', { start: [TOO_LONG] })
    spare.script('nobody', { start: [TOO_LONG] })
    const task = await shop.ended(wallet, await create('nobody'))
    assert.deepEqual([task.state, task.failure?.reason], ['failed', 'unsupported_input'])
    assert.deepEqual([main.startsOf('nobody'), spare.startsOf('nobody')], [1, 1])
  })

  it('gives a task that the second cannot take back to the first, which was only busy', async () => {
    main.script('back', { start: [BUSY, 'accept'], poll: ['video'] })
    spare.script('back', { start: [TOO_LONG] })
    const id = await create('back')
    const task = await shop.ended(wallet, id)
    assert.deepEqual([task.state, task.provider], ['succeeded', 'main'])
    assert.deepEqual(await providersOf(id), ['1 rejected', '2 rejected', '3 succeeded'])
    assert.equal(spare.startsOf('back'), 1)
  })

  it('does not send a task back and forth while both are busy, and has it made once one has room', async () => {
    main.script('crowd', { start: [BUSY] })
    spare.script('crowd', { start: [BUSY, 'accept'], poll: ['video'] })
    const task = await shop.ended(wallet, await create('crowd'))
    assert.deepEqual([task.state, task.provider], ['succeeded', 'spare'])
    assert.equal(main.startsOf('crowd'), 1)
    assert.equal(spare.jobsOf('crowd'), 1)
  })

  it('cancels a task that is on its way from one to the other', async () => {
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    main.script('canceled', {
      start: [
        async () => {
          await held
          return BUSY
        },
      ],
    })
    const id = await create('canceled')
    await until('main was asked', () => main.startsOf('canceled') === 1)
    const { cancelTask } = await import('./cancel.ts')
    await cancelTask(shop.pool, wallet, id)
    release()
    assert.equal((await shop.ended(wallet, id)).state, 'canceled')
    assert.equal(spare.startsOf('canceled'), 0)
  })
})

describe('a provider that is down, with a queue before it', () => {
  let shop: Workshop
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  it('gets no more than a few tries; its queue goes to the other', async () => {
    const wallet = await shop.account({ plan: 'enterprise' })
    const down = new ScriptedProvider({ id: 'down', concurrency: 1, script: { start: [UNREACHABLE] } })
    const up = new ScriptedProvider({ id: 'up', script: { poll: [{ kind: 'expired' }] } })
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => shop.create(wallet, `queued ${index}`, { provider: 'down' })),
    )
    await shop.worker(planOf([down, up]))
    for (const id of ids) assert.equal((await shop.ended(wallet, id)).provider, 'up')
    assert.ok(down.starts.length <= 6, `${down.starts.length} tries`)
    assert.equal(up.jobs.length, 20)
  })

  it('keeps what nobody else takes, and asks nobody a second time who refused it', async () => {
    const wallet = await shop.account({ plan: 'enterprise' })
    const ill = new ScriptedProvider({ id: 'ill', script: { start: [UNREACHABLE] } })
    const picky = new ScriptedProvider({ id: 'picky', script: { start: [TOO_LONG] } })
    await shop.worker(planOf([ill, picky]))
    const id = await shop.create(wallet, 'only for the ill', { provider: 'ill' })
    await until('the ill one is left alone for a while', async () => {
      await shop.hurry(id)
      return ill.starts.length >= 5
    })
    // The turn that moves a later one has looked at the earlier ones once more.
    for (const prompt of ['behind it', 'behind both']) {
      const waiting = await shop.create(wallet, prompt, { provider: 'ill' })
      await until('the other refuses that, too', () => picky.startsOf(prompt) === 1)
      await until('it is back where it was', async () => (await shop.read(wallet, waiting)).provider === 'ill')
    }
    assert.deepEqual(
      picky.starts.map(({ prompt }) => prompt),
      ['only for the ill', 'behind it', 'behind both'],
    )
  })

  it('has its queue moved without waiting for whoever else moves or admits the same tasks', async () => {
    const wallet = await shop.account()
    const ids = [
      await shop.create(wallet, 'one', { provider: 'a' }),
      await shop.create(wallet, 'two', { provider: 'a' }),
    ]
    const [held] = ids
    assert.ok(held !== undefined)
    const holder = await shop.pool.connect()
    try {
      await holder.query('begin')
      await holder.query('select from tasks where id = $1 for update', [uuidOf(held)])
      const moves = ids.map((id) => ({ id, provider: 'b' }))
      assert.equal(await moveQueued(shop.pool, 'a', moves), 1)
      await holder.query('rollback')
    } finally {
      holder.release()
    }
    assert.deepEqual(await Promise.all(ids.map(async (id) => (await shop.read(wallet, id)).provider)), ['a', 'b'])
  })

  it('never gives a test task to a provider that costs something', async () => {
    const wallet = await shop.account({ mode: 'test' })
    const free = Object.assign(new ScriptedProvider({ id: 'free', script: { start: [TOO_LONG] } }), {
      isFree: true as const,
    })
    const paid = new ScriptedProvider({ id: 'paid' })
    await shop.worker(planOf([free, paid]))
    const task = await shop.ended(wallet, await shop.create(wallet, 'a test', { provider: 'free' }))
    assert.equal(task.state, 'failed')
    assert.equal(paid.starts.length, 0)
  })
})
