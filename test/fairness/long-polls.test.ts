/** Requests that stay open until a video is there: those of one account, as many as it may have, beside those of another. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WatchPlaces } from '../../src/http/watch-places.ts'

describe('places for requests that wait', () => {
  test('one account at its most leaves places for others, and is told so', () => {
    const places = new WatchPlaces()
    let taken = 0
    while (places.tryTake(1n) !== undefined) taken += 1
    assert.throws(() => places.take(1n), { code: 'rate_limited', retryAfterSeconds: 10 })
    // Seven more that take all that they can get.
    for (let wallet = 2n; wallet <= 8n; wallet++) {
      let its = 0
      while (places.tryTake(wallet) !== undefined) its += 1
      assert.ok(its > 1 && its <= taken, `the account ${wallet} has ${its} of ${taken}`)
    }
    assert.notEqual(places.tryTake(9n), undefined)
  })
})
