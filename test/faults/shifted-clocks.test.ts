/** Nodes whose clocks are wrong make ids that are out of order; lists are in the order of the database all the same. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { idOf, newId, type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import type { WalletId } from '../../src/ledger/queries.ts'
import { selectTasks } from '../../src/tasks/list-queries.ts'
import { newTask, openWorkshop, type Workshop } from './workshop.ts'

const TEN_MINUTES_MS = 600_000

/** An id as a node makes it whose clock is wrong by so many milliseconds. */
function idBy(offMs: number): TaskId {
  const uuid = uuidOf(newId('task'))
  const time = (Date.now() + offMs).toString(16).padStart(12, '0')
  return idOf('task', `${time.slice(0, 8)}-${time.slice(8)}${uuid.slice(13)}`)
}

describe('tasks that nodes with shifted clocks make', () => {
  let shop: Workshop
  before(async () => {
    shop = await openWorkshop()
  })
  after(() => shop[Symbol.asyncDispose]())

  async function create(wallet: WalletId, offMs: number): Promise<TaskId> {
    const id = idBy(offMs)
    assert.equal((await shop.submitter.submit(newTask(wallet, 'a test', { id, priceCredits: 1n }))).kind, 'created')
    return id
  }

  const page = async (wallet: WalletId, order: 'newest first' | 'oldest first', after?: TaskId, limit = 2) =>
    (await selectTasks(shop.pool, { wallet, states: undefined, after, order, limit })).map(({ id }) => id)

  /** Goes on from the last task that it has seen, to the end. */
  async function tail(wallet: WalletId, seen: TaskId[]): Promise<void> {
    for (;;) {
      const next = await page(wallet, 'oldest first', seen.at(-1))
      if (next.length === 0) return
      seen.push(...next)
    }
  }

  it('are listed in the order in which they were made, from either end', async () => {
    const wallet = await shop.account()
    const made: TaskId[] = []
    for (const off of [TEN_MINUTES_MS, 0, -TEN_MINUTES_MS, TEN_MINUTES_MS, 0]) made.push(await create(wallet, off))
    assert.deepEqual(await page(wallet, 'oldest first', undefined, 9), made)
    assert.deepEqual(await page(wallet, 'newest first', undefined, 9), made.toReversed())
    assert.deepEqual(await page(wallet, 'newest first', made[3], 2), [made[2], made[1]])
  })

  it('are all seen, each once, by a client that tails while both nodes create at once', async () => {
    const wallet = await shop.account()
    const seen: TaskId[] = []
    let isOver = false
    const tailing = (async () => {
      while (!isOver) await tail(wallet, seen)
      await tail(wallet, seen)
    })()
    const node = async (off: number) => {
      const made: TaskId[] = []
      for (let n = 0; n < 25; n += 1) made.push(...(await Promise.all([create(wallet, off), create(wallet, off)])))
      return made
    }
    const made = (await Promise.all([node(TEN_MINUTES_MS), node(-TEN_MINUTES_MS), node(0)])).flat()
    isOver = true
    await tailing
    assert.deepEqual([...seen].sort(), [...made].sort())
  })

  it('become visible in the order of the list: one that commits later never stands before one that was seen', async () => {
    const wallet = await shop.account()
    const [slow, fast] = [await shop.pool.connect(), newTask(wallet, 'fast', { priceCredits: 1n })]
    const first = await create(wallet, 0)
    // A create that has written its row and has not committed yet.
    await slow.query('begin')
    const { submitTasks } = await import('../../src/tasks/queries.ts')
    const late = newTask(wallet, 'slow', { priceCredits: 1n, id: idBy(-TEN_MINUTES_MS) })
    await submitTasks(slow, [late])
    const created = shop.submitter.submit(fast)
    assert.deepEqual(await page(wallet, 'oldest first', first), [])
    await slow.query('commit')
    slow.release()
    assert.equal((await created).kind, 'created')
    assert.deepEqual(await page(wallet, 'oldest first', first), [late.id, fast.id])
  })
})
