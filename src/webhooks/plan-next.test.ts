import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AttemptOutcome } from './delivery.ts'
import { ATTEMPT_PAUSES_MS, planNext } from './plan-next.ts'

const HOUR_MS = 3_600_000

function failed(retryAfterMs?: number): AttemptOutcome {
  return { kind: 'failed', status: 500, error: 'no', retryAfterMs }
}

test('ten attempts over three days', () => {
  assert.equal(ATTEMPT_PAUSES_MS.length, 10)
  const hours = ATTEMPT_PAUSES_MS.reduce((sum, pause) => sum + pause, 0) / HOUR_MS
  assert.ok(hours > 72 && hours < 80, `${hours} h`)
})

test('success and refusal end it, whenever', () => {
  for (const attempts of [1, 5, 10]) {
    assert.deepEqual(planNext({ kind: 'delivered', status: 200 }, attempts, Math.random), { state: 'delivered' })
    const refused: AttemptOutcome = { kind: 'refused', status: 410, error: 'gone' }
    assert.deepEqual(planNext(refused, attempts, Math.random), { state: 'failed' })
  }
})

test('the last failure ends it, whatever the receiver asks for', () => {
  assert.equal(planNext(failed(), 9, () => 0.5).state, 'pending')
  assert.deepEqual(
    planNext(failed(HOUR_MS), 10, () => 0.5),
    { state: 'failed' },
  )
})

test('a pause is the scheduled one with a tenth of jitter, longer if asked for, and never more than a day and its jitter', () => {
  const asked = fc.option(fc.integer({ min: 0, max: 1_000 * HOUR_MS }), { nil: undefined })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      asked,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, wish, chance) => {
        const plan = planNext(failed(wish), n, () => chance)
        assert.ok(plan.state === 'pending')
        const pause = ATTEMPT_PAUSES_MS[n] ?? 0
        assert.ok(plan.inMs >= Math.max(pause * 0.9, Math.min(wish ?? 0, 24 * HOUR_MS)) - 1)
        assert.ok(plan.inMs <= Math.max(pause * 1.1, Math.min(wish ?? 0, 24 * HOUR_MS)) + 1)
      },
    ),
  )
})
