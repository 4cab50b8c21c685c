import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeRateLimiter } from '../../test/support/describe-rate-limiter.ts'
import { newId } from '../canonical/ids.ts'
import { MemoryRateLimiter } from './rate-limit-memory.ts'

describeRateLimiter('MemoryRateLimiter', {
  make: async () => {
    let nowMs = 1_700_000_000_400
    const limiter = new MemoryRateLimiter({ now: () => nowMs })
    return {
      limiters: [limiter, limiter],
      pass: async (ms) => {
        nowMs += ms
      },
      now: async () => nowMs,
      [Symbol.asyncDispose]: async () => undefined,
    }
  },
})

test('rounds up: a client that waits as it was told finds room', () => {
  let nowMs = 1_700_000_000_001
  const limiter = new MemoryRateLimiter({ now: () => nowMs })
  const account = newId('acct')
  const reset = () => {
    const { allowed, resetAtSeconds, resetAfterSeconds } = limiter.take({ account, mode: 'live', kind: 'create' }, 1)
    return [allowed, resetAtSeconds, resetAfterSeconds]
  }
  assert.deepEqual(reset(), [true, 1_700_000_061, 60])
  nowMs += 59_000
  assert.deepEqual(reset(), [false, 1_700_000_061, 1])
  nowMs += 999
  assert.deepEqual(reset(), [false, 1_700_000_061, 1])
  nowMs += 1
  assert.deepEqual(reset(), [true, 1_700_000_121, 60])
})

test('removes windows that are over as others begin', () => {
  let nowMs = 0
  const limiter = new MemoryRateLimiter({ now: () => nowMs })
  for (let index = 0; index < 1_000; index++) limiter.take({ account: newId('acct'), mode: 'live', kind: 'read' }, 1)
  assert.equal(limiter.size, 1_000)
  nowMs += 60_000
  limiter.take({ account: newId('acct'), mode: 'live', kind: 'read' }, 1)
  assert.equal(limiter.size, 1)
})

test('keeps no more windows than it may: the oldest is forgotten', () => {
  const limiter = new MemoryRateLimiter({ now: () => 0, maxWindows: 3 })
  const [oldest, second, ...others] = Array.from({ length: 4 }, () => newId('acct'))
  assert.ok(oldest !== undefined && second !== undefined)
  for (const account of [oldest, second, ...others]) limiter.take({ account, mode: 'live', kind: 'create' }, 1)
  assert.equal(limiter.size, 3)
  assert.equal(limiter.take({ account: second, mode: 'live', kind: 'create' }, 1).allowed, false)
  assert.equal(limiter.take({ account: oldest, mode: 'live', kind: 'create' }, 1).allowed, true)
})
