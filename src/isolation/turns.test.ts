import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Turns } from './turns.ts'

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
    const turns = new Turns(2)
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
    const turns = new Turns(1)
    const first = slowWork()
    const running = turns.run(first.work)
    const impatience = new AbortController()
    const impatient = turns.run(() => assert.fail('nobody waits for it'), impatience.signal)
    const next = turns.run(async () => 'done')
    impatience.abort(new Error('given up'))
    await assert.rejects(impatient, /given up/)
    await assert.rejects(
      turns.run(() => assert.fail('it was given up before'), impatience.signal),
      /given up/,
    )
    first.end()
    await running
    assert.equal(await next, 'done')
    assert.equal(await turns.run(async () => 'free'), 'free')
  })
})
