import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NoTurn, type TurnLimits, Turns } from './turns.ts'

/** Work that ends when it is told to. */
function slowWork() {
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return { work: () => over, end }
}

describe('turns', () => {
  test('come in the order of those who wait, so many at a time', async () => {
    const turns = new Turns({ atOnce: 2 })
    const begun: number[] = []
    const works = [0, 1, 2, 3].map(() => slowWork())
    const runs = works.map(({ work }, index) =>
      turns.run(() => {
        begun.push(index)
        return work()
      }),
    )
    assert.deepEqual(begun, [0, 1])
    works[1]?.end()
    await runs[1]
    assert.deepEqual(begun, [0, 1, 2])
    for (const { end } of works) end()
    await Promise.all(runs)
    assert.deepEqual(begun, [0, 1, 2, 3])
  })

  test('are given up by those who do not wait any more, who hold up nobody', async () => {
    const turns = new Turns({ atOnce: 1 })
    const first = slowWork()
    const running = turns.run(first.work)
    const impatience = new AbortController()
    const impatient = turns.run(() => assert.fail('nobody waits for it'), { signal: impatience.signal })
    const next = turns.run(async () => 'done')
    impatience.abort(new Error('given up'))
    await assert.rejects(impatient, /given up/)
    await assert.rejects(
      turns.run(() => assert.fail('it was given up before'), { signal: impatience.signal }),
      /given up/,
    )
    first.end()
    await running
    assert.equal(await next, 'done')
    assert.equal(await turns.run(async () => 'free'), 'free')
  })

  /** Has the work of these keys come in this order, one at a time unless said; answers the order in which it was done. */
  async function orderOf(keys: readonly string[], limits: TurnLimits = { atOnce: 1 }): Promise<string> {
    const turns = new Turns<string>(limits)
    const done: string[] = []
    const runs = keys.map((key) =>
      turns.run(
        async () => {
          done.push(key)
          await new Promise((resolve) => setImmediate(resolve))
        },
        { key },
      ),
    )
    await Promise.all(runs)
    return done.join('')
  }

  test('go round among keys: one with many waiting is ahead of another by one at most', async () => {
    assert.equal(await orderOf(['a', 'a', 'a', 'a', 'b', 'b', 'c']), 'aabcaba')
    assert.equal(await orderOf(['a', 'a', 'a', 'b'], { atOnce: 2 }), 'aaba', 'next is the key that holds none')
  })

  test('of one key are no more at once than it may have', async () => {
    assert.equal(await orderOf(['a', 'a', 'a', 'b'], { atOnce: 2, ofOneKey: 1 }), 'abaa')
    const turns = new Turns<string>({ atOnce: 2, ofOneKey: 1 })
    const release = await turns.take({ key: 'a' })
    const second = turns.take({ key: 'a' })
    assert.equal(turns.waiting, 1)
    release()
    release()
    await second
    assert.equal(turns.waiting, 0)
  })

  test('are shared by the number of keys: however much one wants, a newcomer finds a free one', async () => {
    for (const { atOnce, ofOneKey, filledBy } of [
      { atOnce: 2, ofOneKey: 1, filledBy: 2 },
      { atOnce: 8, ofOneKey: 2, filledBy: 6 },
      { atOnce: 16, ofOneKey: 4, filledBy: 8 },
      { atOnce: 128, ofOneKey: 32, filledBy: 15 },
    ]) {
      const turns = new Turns<number>({ atOnce, ofOneKey })
      let keys = 0
      for (; turns.tryTake(keys) !== undefined; keys++) {
        let held = 1
        while (turns.tryTake(keys) !== undefined) held += 1
        if (keys === 0) assert.equal(held, ofOneKey, 'alone it has all that one key may have')
        assert.ok(held <= ofOneKey)
      }
      assert.ok(keys >= filledBy, `${atOnce} turns are all held by ${keys} keys`)
    }
  })

  test('that become free go to the key that holds the fewest', async () => {
    const turns = new Turns<string>({ atOnce: 4 })
    const held = await Promise.all(['a', 'a', 'a', 'b'].map((key) => turns.take({ key })))
    const served: string[] = []
    for (const key of ['a', 'b', 'c']) void turns.take({ key }).then(() => served.push(key))
    held[0]?.()
    held[3]?.()
    held[1]?.()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(served, ['c', 'b', 'a'])
  })

  test('let so many of one key wait, each for so long, and refuse no other key for it', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const turns = new Turns<string>({ atOnce: 1, waitingOfOneKey: 2, waitMs: 20 })
    const release = await turns.take({ key: 'a' })
    const waits = [turns.take({ key: 'a' }), turns.take({ key: 'a' })]
    await assert.rejects(turns.take({ key: 'a' }), { name: NoTurn.name, because: 'too many wait' })
    const other = turns.take({ key: 'b' })
    t.mock.timers.tick(20)
    for (const wait of [...waits, other]) await assert.rejects(wait, { because: 'waited too long' })
    assert.equal(turns.waiting, 0)
    release()
    assert.notEqual(turns.tryTake('a'), undefined, 'what was given up leaves its turn')
  })
})
