import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { RateLimiter } from '../../src/accounts/rate-limit.ts'
import { type AccountId, newId } from '../../src/canonical/ids.ts'

/** A limiter under test, and what time does to it. */
export interface LimiterUnderTest extends AsyncDisposable {
  /** Two of them count together where an implementation spans processes; otherwise they are the same one. */
  readonly limiters: readonly [RateLimiter, RateLimiter]
  /** Lets `ms` pass for the windows of an account. */
  readonly pass: (ms: number, account: AccountId) => Promise<void>
  /** Milliseconds since 1970 by the clock that the limiter goes by. */
  readonly now: () => Promise<number>
}

/** The behaviour that every rate limiter owes. */
export function describeRateLimiter(
  name: string,
  { skip = false, make }: { skip?: string | false; make: () => Promise<LimiterUnderTest> },
): void {
  describe(`${name} as a rate limiter`, { skip }, () => {
    let under: LimiterUnderTest
    let limiter: RateLimiter
    let other: RateLimiter
    before(async () => {
      under = await make()
      const { limiters } = under
      limiter = limiters[0]
      other = limiters[1]
    })
    after(() => under[Symbol.asyncDispose]())

    it('counts down to the limit and refuses what is beyond', async () => {
      const account = newId('acct')
      const answers = [1, 2, 3, 4, 5].map(() => limiter.take({ account, mode: 'live', kind: 'create' }, 3))
      const states = await Promise.all(answers)
      assert.deepEqual(
        states.map(({ allowed, limit, remaining }) => [allowed, limit, remaining]),
        [
          [true, 3, 2],
          [true, 3, 1],
          [true, 3, 0],
          [false, 3, 0],
          [false, 3, 0],
        ],
      )
    })

    it('allows exactly the limit, however many ask at once and wherever', async () => {
      const account = newId('acct')
      const answers = Array.from({ length: 500 }, (_, index) =>
        (index % 2 === 0 ? limiter : other).take({ account, mode: 'live', kind: 'read' }, 100),
      )
      const states = await Promise.all(answers)
      assert.equal(states.filter(({ allowed }) => allowed).length, 100)
      assert.deepEqual(
        states
          .filter(({ allowed }) => allowed)
          .map(({ remaining }) => remaining)
          .sort((one, another) => another - one),
        Array.from({ length: 100 }, (_, index) => 99 - index),
      )
    })

    it('counts accounts and kinds apart', async () => {
      const [account, stranger] = [newId('acct'), newId('acct')]
      assert.equal((await limiter.take({ account, mode: 'live', kind: 'create' }, 1)).allowed, true)
      assert.equal((await limiter.take({ account, mode: 'live', kind: 'create' }, 1)).allowed, false)
      assert.equal((await limiter.take({ account, mode: 'live', kind: 'read' }, 1)).allowed, true)
      assert.equal((await limiter.take({ account: stranger, mode: 'live', kind: 'create' }, 1)).allowed, true)
    })

    it('gives the whole limit back a minute after the first request, and says when', async () => {
      const account = newId('acct')
      const earliest = await under.now()
      const first = await limiter.take({ account, mode: 'live', kind: 'create' }, 2)
      const latest = await under.now()
      assert.ok(first.resetAtSeconds >= Math.ceil((earliest + 60_000) / 1000))
      assert.ok(first.resetAtSeconds <= Math.ceil((latest + 60_000) / 1000))
      assert.equal(first.resetAfterSeconds, 60)

      await under.pass(30_000, account)
      const second = await limiter.take({ account, mode: 'live', kind: 'create' }, 2)
      const refused = await limiter.take({ account, mode: 'live', kind: 'create' }, 2)
      assert.ok([29, 30].includes(second.resetAfterSeconds), String(second.resetAfterSeconds))
      assert.deepEqual([second.remaining, refused.allowed, refused.remaining], [0, false, 0])

      // Neither the second request nor the refused one moved the end of the window.
      await under.pass(30_000, account)
      const fresh = await limiter.take({ account, mode: 'live', kind: 'create' }, 2)
      assert.deepEqual([fresh.allowed, fresh.remaining, fresh.resetAfterSeconds], [true, 1, 60])
    })

    it('names the same reset throughout a window', async () => {
      const account = newId('acct')
      const states = await Promise.all([1, 2, 3].map(() => limiter.take({ account, mode: 'live', kind: 'read' }, 2)))
      assert.equal(new Set(states.map(({ resetAtSeconds }) => resetAtSeconds)).size, 1)
    })

    it('goes by another limit at once, in the window that is open', async () => {
      const account = newId('acct')
      const take = async (limit: number) => {
        const { allowed, remaining } = await limiter.take({ account, mode: 'live', kind: 'create' }, limit)
        return [allowed, remaining]
      }
      assert.deepEqual(await take(1), [true, 0])
      assert.deepEqual(await take(1), [false, 0])
      assert.deepEqual(await take(3), [true, 1])
      assert.deepEqual(await take(1), [false, 0])
    })

    it('begins a new window when the clock was set back', async () => {
      const account = newId('acct')
      await limiter.take({ account, mode: 'live', kind: 'create' }, 1)
      await under.pass(-600_000, account)
      const state = await limiter.take({ account, mode: 'live', kind: 'create' }, 1)
      assert.deepEqual([state.allowed, state.resetAfterSeconds], [true, 60])
    })
  })
}
