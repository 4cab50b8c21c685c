import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cadence } from './cadence.ts'

test('a line is due at once, and again when its time has passed, each line by itself', () => {
  let nowMs = 0
  const cadence = new Cadence(() => nowMs)
  assert.ok(cadence.isDue('one', 100))
  assert.ok(!cadence.isDue('one', 100))
  assert.ok(cadence.isDue('another', 100))
  nowMs = 99
  assert.ok(!cadence.isDue('one', 100))
  nowMs = 100
  assert.ok(cadence.isDue('one', 100))
})

test('as many lines as there are never fill the memory', () => {
  const cadence = new Cadence(() => 0)
  for (let line = 0; line < 5_000; line += 1) assert.ok(cadence.isDue(`${line}`, 100))
  assert.ok(!cadence.isDue('4999', 100))
  assert.ok(cadence.isDue('0', 100), 'the oldest is forgotten')
})
