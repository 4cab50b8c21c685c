import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type TurnLimits, Turns } from './turns.ts'

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
    assert.equal(await orderOf(['a', 'a', 'a', 'b'], { atOnce: 2 }), 'aaab')
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
})
