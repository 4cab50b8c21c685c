/** The table of what follows from a look: every sight, before, at and after the deadline. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DURABLE_JOBS, JOBS_IN_MEMORY } from '../providers/provider.ts'
import { afterLoss, gonePauseMs, isFinal, judgeLook, type NextMove, type Sight } from './judge-look.ts'

const GRACE_MS = 60_000

describe('a look at a job', () => {
  const TABLE: Readonly<Record<Sight, { in: NextMove; at: NextMove; afterGrace: NextMove }>> = {
    nothing: { in: 'look again', at: 'look again', afterGrace: 'expire' },
    pending: { in: 'look again', at: 'expire', afterGrace: 'expire' },
    video: { in: 'collect', at: 'collect', afterGrace: 'collect' },
    'no video': { in: 'look again', at: 'look again', afterGrace: 'look again' },
    ended: { in: 'end as told', at: 'end as told', afterGrace: 'end as told' },
    gone: { in: 'look again', at: 'look again', afterGrace: 'look again' },
  }
  for (const [sight, moves] of Object.entries(TABLE) as [Sight, (typeof TABLE)[Sight]][]) {
    it(`that finds "${sight}" is followed by ${moves.in}; at the deadline by ${moves.at}; past the grace by ${moves.afterGrace}`, () => {
      const look = { sight, graceMs: GRACE_MS, before: 0 }
      assert.equal(judgeLook({ ...look, leftMs: 1 }), moves.in)
      assert.equal(judgeLook({ ...look, leftMs: 0 }), moves.at)
      assert.equal(judgeLook({ ...look, leftMs: -GRACE_MS + 1 }), moves.at)
      assert.equal(judgeLook({ ...look, leftMs: -GRACE_MS }), moves.afterGrace)
    })
  }

  it('that finds no video, or no job, often enough is believed, whatever time is left', () => {
    for (const leftMs of [3_600_000, 0, -3_600_000]) {
      const look = { leftMs, graceMs: GRACE_MS, before: 50 }
      assert.equal(judgeLook({ ...look, sight: 'no video' }), 'give up the result')
      assert.equal(judgeLook({ ...look, sight: 'gone' }), 'give up the job')
    }
  })

  it('that finds the job gone is believed after the time that the provider declares', () => {
    for (const goneJobs of [DURABLE_JOBS, JOBS_IN_MEMORY, { believedAfterMs: 60_000, isSurelyLost: false }]) {
      let waitedMs = 0
      for (let before = 0; ; before += 1) {
        const pauseMs = gonePauseMs(before, goneJobs)
        if (pauseMs === undefined) break
        waitedMs += pauseMs
      }
      assert.equal(Math.round(waitedMs), goneJobs.believedAfterMs)
    }
    assert.equal(gonePauseMs(0, { believedAfterMs: 0, isSurelyLost: true }), undefined, 'or at once')
  })
})

describe('a result that cannot be taken', () => {
  it('is final at once where it never changes, and after a few looks where it may', () => {
    for (const fault of ['wrong duration', 'too large'] as const) assert.ok(isFinal(fault, 0))
    for (const fault of ['no video', 'link gone', 'link refused', 'broken file'] as const) {
      assert.ok(!isFinal(fault, 0))
      assert.ok(isFinal(fault, 9))
    }
  })
})

describe('a lost job', () => {
  const lost = { goneJobs: JOBS_IN_MEMORY, startIsIdempotent: true, isRetired: false, lostBefore: 0, leftMs: 1_000 }

  it('of a server that keeps jobs in memory is begun anew, there or elsewhere', () => {
    assert.deepEqual(afterLoss(lost), { same: true, other: true })
    assert.deepEqual(afterLoss({ ...lost, startIsIdempotent: false }), { same: true, other: true })
  })

  it('that may be billed is begun anew by its own token alone', () => {
    assert.deepEqual(afterLoss({ ...lost, goneJobs: DURABLE_JOBS }), { same: true, other: false })
    const plain = afterLoss({ ...lost, goneJobs: DURABLE_JOBS, startIsIdempotent: false })
    assert.deepEqual(plain, { same: false, other: false })
  })

  it('is not begun anew there where the provider is retired, or where it was lost again and again', () => {
    assert.deepEqual(afterLoss({ ...lost, isRetired: true }), { same: false, other: true })
    assert.deepEqual(afterLoss({ ...lost, lostBefore: 2 }), { same: false, other: true })
  })

  it('is begun anew nowhere once the time of its task is over', () => {
    assert.deepEqual(afterLoss({ ...lost, leftMs: 0 }), { same: false, other: false })
  })
})
