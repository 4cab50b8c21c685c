import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { CircuitBreaker } from './circuit-breaker.ts'

describe('a circuit breaker', () => {
  let nowMs = 0
  let breaker = new CircuitBreaker(() => nowMs)
  beforeEach(() => {
    nowMs = 0
    breaker = new CircuitBreaker(() => nowMs)
  })
  const faults = (count: number) => {
    for (let index = 0; index < count; index++) breaker.faulted()
  }
  const pollFaults = (count: number) => {
    for (let index = 0; index < count; index++) breaker.pollFaulted()
  }

  test('stays closed for a few faults, and forgets them at the first answer', () => {
    faults(4)
    assert.equal(breaker.state, 'closed')
    breaker.answered()
    faults(4)
    assert.equal(breaker.allows(10), 10)
  })

  test('opens after faults in a row, and then sends nothing', () => {
    faults(5)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.allows(10), 0)
  })

  test('tries one job at a time once its pause is over, and closes at a good answer', () => {
    faults(5)
    nowMs = 15_000
    assert.equal(breaker.state, 'half open')
    assert.equal(breaker.allows(10), 1)
    breaker.sent(1)
    assert.equal(breaker.allows(10), 0)
    breaker.answered()
    assert.equal(breaker.allows(10), 10)
  })

  test('pauses twice as long after each trial that fails, up to five minutes', () => {
    faults(5)
    let pauseMs = 15_000
    for (const _ of Array.from({ length: 8 })) {
      nowMs += pauseMs - 1
      assert.equal(breaker.state, 'open')
      nowMs += 1
      assert.equal(breaker.state, 'half open')
      breaker.sent(1)
      breaker.faulted()
      pauseMs = Math.min(pauseMs * 2, 300_000)
    }
  })

  test('opens for starts that fail though every poll is answered, and no poll closes it', () => {
    for (let index = 0; index < 5; index++) {
      breaker.pollAnswered()
      breaker.faulted()
    }
    assert.equal(breaker.state, 'open')
    breaker.pollAnswered()
    assert.equal(breaker.state, 'open')
    nowMs = 15_000
    breaker.pollAnswered()
    assert.equal(breaker.state, 'half open')
  })

  test('opens after polls in a row that were not answered, and forgets them at the first that is', () => {
    pollFaults(4)
    breaker.pollAnswered()
    pollFaults(4)
    assert.equal(breaker.state, 'closed')
    pollFaults(1)
    assert.equal(breaker.state, 'open')
  })

  test('lets a start try once polls work again, though none was sent in between', () => {
    pollFaults(5)
    nowMs = 15_000
    pollFaults(1)
    assert.equal(breaker.state, 'open')
    breaker.pollAnswered()
    nowMs = 45_000
    pollFaults(1)
    assert.equal(breaker.allows(10), 1)
    breaker.sent(1)
    breaker.answered()
    assert.equal(breaker.allows(10), 10)
  })

  test('tries another job when nothing is heard of the first for a minute', () => {
    faults(5)
    nowMs = 15_000
    breaker.sent(1)
    nowMs += 59_999
    assert.equal(breaker.allows(10), 0)
    nowMs += 1
    assert.equal(breaker.allows(10), 1)
  })

  test('faults of jobs that were sent before it opened do not lengthen the pause', () => {
    faults(20)
    nowMs = 15_000
    assert.equal(breaker.state, 'half open')
  })
})
