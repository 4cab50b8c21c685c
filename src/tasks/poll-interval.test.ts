import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pollIntervalMs } from './poll-interval.ts'

test('a young job is asked after at the usual pace, give or take a tenth', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 60_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (pollEveryMs, x) => {
        const ms = pollIntervalMs({ pollEveryMs, ageMs: 0, lateMs: 0, random: () => x })
        assert.ok(ms >= Math.floor(pollEveryMs * 0.9) && ms <= Math.ceil(pollEveryMs * 1.1))
      },
    ),
  )
})

test('one that takes unusually long less often, and never less than every fourth time', () => {
  const at = (ageMs: number) => pollIntervalMs({ pollEveryMs: 5_000, ageMs, lateMs: 0, random: () => 0.5 })
  assert.equal(at(0), 5_000)
  assert.equal(at(200_000), 5_000)
  assert.equal(at(300_000), 7_500)
  assert.equal(at(400_000), 10_000)
  assert.equal(at(86_400_000), 20_000)
})

test('a late poll is made up for by the next one, which still leaves half of the interval', () => {
  const after = (lateMs: number) => pollIntervalMs({ pollEveryMs: 5_000, ageMs: 0, lateMs, random: () => 0.5 })
  assert.equal(after(1_000), 4_000)
  assert.equal(after(60_000), 2_500)
  assert.equal(after(-1_000), 5_000)
})
