/** Requests that stay open until a video is there: those of one account, as many as it may have, beside those of another. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WatchPlaces } from '../../src/http/watch-places.ts'
import { cancel, create, SLOW } from '../acceptance/rivya.ts'
import { waitFor } from '../support/patience.ts'
import { startServer } from '../support/server.ts'

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

  test('a long poll beyond the bound of its account is answered at once, and one of another account is held', async () => {
    await using server = await startServer()
    const [greedy, other] = await Promise.all([1, 2].map(() => server.createAccount({ credits: 100 })))
    assert.ok(greedy !== undefined && other !== undefined)
    const [watched, its] = [
      await create(server, SLOW, { key: greedy.key }),
      await create(server, SLOW, { key: other.key }),
    ]
    await waitFor('both to be under way', async () => {
      const answers = await Promise.all([
        server.ask('GET', `/api/v1/generations/${watched.id}`, { key: greedy.key }),
        server.ask('GET', `/api/v1/generations/${its.id}`, { key: other.key }),
      ])
      return answers.every(({ text }) => text.includes('"processing"')) ? true : undefined
    })
    const poll = (id: string, key: string) =>
      server.ask('GET', `/api/v1/generations/${id}`, { key, headers: { prefer: 'wait=60' } })
    let answered = 0
    const polls = Array.from({ length: 530 }, async () => {
      const answer = await poll(watched.id, greedy.key)
      answered += 1
      return answer.status
    })
    await waitFor('those beyond the bound to be answered', (seen) => {
      seen(answered)
      return answered >= 530 - 512
    })
    let isOtherAnswered = false
    const held = poll(its.id, other.key).then((answer) => {
      isOtherAnswered = true
      return answer
    })
    // By then a poll that is not held would have been answered.
    await server.ask('GET', `/api/v1/generations/${its.id}`, { key: other.key })
    assert.equal(isOtherAnswered, false)
    await cancel(server, its.id, { key: other.key })
    assert.match((await held).text, /"canceled"/)
    await cancel(server, watched.id, { key: greedy.key })
    assert.deepEqual(new Set(await Promise.all(polls)), new Set([200]))
  })
})
