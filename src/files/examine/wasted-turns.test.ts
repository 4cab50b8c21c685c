import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'
import { WastedTurns } from './wasted-turns.ts'

describe('WastedTurns', () => {
  it('has an account wait for longer and longer, and no other', () => {
    let now = 1_000_000
    const wasted = new WastedTurns(() => now)
    const [slow, other] = [newId('acct'), newId('acct')]
    const waitSeconds = () => {
      try {
        wasted.check(slow)
        return 0
      } catch (error) {
        assert.ok(error instanceof Refusal && error.code === 'rate_limited')
        return error.retryAfterSeconds
      }
    }
    const waits: unknown[] = []
    for (let turn = 0; turn < 8; turn += 1) {
      wasted.note(slow)
      waits.push(waitSeconds())
      wasted.check(other)
    }
    assert.deepEqual(waits, [0, 0, 60, 120, 240, 480, 900, 900])
    now += 900_000
    assert.equal(waitSeconds(), 0)
    wasted.note(slow)
    assert.equal(waitSeconds(), 900)
    now += 1_800_000
    wasted.note(slow)
    assert.equal(waitSeconds(), 0)
  })
})
