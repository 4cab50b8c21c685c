import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openWorkshop, until, type Workshop } from '../../test/faults/workshop.ts'
import { ScriptedProvider } from '../../test/support/scripted-provider.ts'
import { Waker } from '../tasks/wake.ts'
import { TaskWatchers } from '../tasks/watch.ts'
import { cancelAndWait } from './cancel-task.ts'
import { DatabaseTurns } from './database-turns.ts'

const CANCELS = 40

describe('cancels that wait for a worker', () => {
  let shop: Workshop
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  test('read their tasks when these change, and share what asks for changes with all others who wait', async () => {
    const wallet = await shop.account()
    const provider = new ScriptedProvider({ videoPath: shop.videoPath })
    const worker = await shop.worker(provider)
    const ids = await Promise.all(
      Array.from({ length: CANCELS }, async (_, index) => {
        provider.script(`running ${index}`, { poll: [{ kind: 'pending', pollAfterMs: 600_000 }] })
        return await shop.create(wallet, `running ${index}`)
      }),
    )
    await until('all to run', async () => {
      const states = await Promise.all(ids.map(async (id) => (await shop.read(wallet, id)).state))
      return states.every((state) => state === 'running')
    })
    // With no worker there, each waits for as long as a cancel may.
    await shop.stop(worker)
    let statements = 0
    const pool = new Proxy(shop.pool, {
      get: (target, name) => {
        if (name === 'query') statements += 1
        return Reflect.get(target, name, target)
      },
    })
    const fail = (error: unknown) => assert.fail(String(error))
    const parts = {
      databaseTurns: new DatabaseTurns(pool, 'shared'),
      waker: new Waker(pool, fail),
      watchers: new TaskWatchers(pool, fail),
    }
    const answers = await Promise.all(
      ids.map((id) => cancelAndWait(parts, { wallet, id, signal: new AbortController().signal })),
    )
    assert.ok(answers.every(({ state }) => state === 'running'))
    // Four to cancel one, and five a second for all together while the last one waits: reading each task by itself is 60 for each.
    assert.ok(statements < 8 * CANCELS, `${statements} statements`)

    await shop.worker(provider)
    for (const id of ids) assert.equal((await shop.ended(wallet, id)).state, 'canceled')
  })

  test('are answered with the end as soon as it comes', async () => {
    const wallet = await shop.account()
    const provider = new ScriptedProvider({ videoPath: shop.videoPath })
    await shop.worker(provider)
    provider.script('ends', { poll: [{ kind: 'pending', pollAfterMs: 600_000 }] })
    const id = await shop.create(wallet, 'ends')
    await until('it runs', async () => (await shop.read(wallet, id)).state === 'running')
    const fail = (error: unknown) => assert.fail(String(error))
    const databaseTurns = new DatabaseTurns(shop.pool, 'shared')
    const parts = { databaseTurns, waker: new Waker(shop.pool, fail), watchers: new TaskWatchers(shop.pool, fail) }
    const { signal } = new AbortController()
    assert.equal((await cancelAndWait(parts, { wallet, id, signal })).state, 'canceled')
  })
})
