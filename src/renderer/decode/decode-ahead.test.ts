import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { decodeAhead } from './decode-ahead.ts'

/** Counts up, and tells how far it was asked to and whether it was ended. */
function counter(last: number, failure?: Error) {
  const seen = { made: 0, isEnded: false }
  async function* count() {
    try {
      for (let number = 1; number <= last; number++) {
        seen.made = number
        yield number
      }
      if (failure !== undefined) throw failure
    } finally {
      seen.isEnded = true
    }
  }
  return { seen, numbers: count() }
}

/** Turns of the loop in which everything that can go on does. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

test('makes as many ahead as there is room for, and no more', async () => {
  const { seen, numbers } = counter(100)
  await using ahead = decodeAhead(numbers, 3)
  await settle()
  assert.equal(seen.made, 3)
  assert.equal(await ahead.next(), 1)
  await settle()
  assert.equal(seen.made, 4)
})

test('gives all in order, then nothing', async () => {
  await using ahead = decodeAhead(counter(5).numbers, 2)
  const given = []
  for (let index = 0; index < 7; index++) given.push(await ahead.next())
  assert.deepEqual(given, [1, 2, 3, 4, 5, undefined, undefined])
})

test('throws what the making threw after what was made before it', async () => {
  await using ahead = decodeAhead(counter(2, new Error('damaged')).numbers, 4)
  assert.deepEqual([await ahead.next(), await ahead.next()], [1, 2])
  await assert.rejects(ahead.next(), /damaged/u)
})

test('ends the making when it is disposed of before the end', async () => {
  const { seen, numbers } = counter(100)
  const ahead = decodeAhead(numbers, 3)
  assert.equal(await ahead.next(), 1)
  await ahead[Symbol.asyncDispose]()
  assert.ok(seen.isEnded && seen.made < 6)
})
