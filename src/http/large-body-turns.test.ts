import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { Refusal } from '../canonical/refusal.ts'
import { LargeBodyTurns, MAX_WAITING_OF_ACCOUNT } from './large-body-turns.ts'

let wallets = 0n
const newWallet = () => ++wallets

const JSON_TYPE = { 'content-type': 'application/json' }

function requestOf(headers: Record<string, string>): { request: IncomingMessage; leave: () => void } {
  const socket = new EventEmitter()
  // Only what a turn looks at.
  const request: Pick<IncomingMessage, 'headers'> & { socket: unknown } = { headers, socket }
  return { request: request as IncomingMessage, leave: () => void socket.emit('close') }
}

const large = () => requestOf({ ...JSON_TYPE, 'content-length': '30000000' })

/** Whether a promise is settled once everything that is due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = {}
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(open)])) !== open
}

describe('turns for large bodies', () => {
  test('are not needed by small ones, or by forms, however many', async () => {
    const turns = new LargeBodyTurns()
    const wallet = newWallet()
    for (let index = 0; index < 50; index++) {
      assert.ok(await isSettled(turns.take(wallet, requestOf({ ...JSON_TYPE, 'content-length': '1000' }).request)))
      const form = requestOf({ 'content-type': 'multipart/form-data; boundary=x', 'content-length': '60000000' })
      assert.ok(await isSettled(turns.take(wallet, form.request)))
    }
  })

  test('two of one account at once; the next when one is given back', async () => {
    const turns = new LargeBodyTurns()
    const wallet = newWallet()
    const first = await turns.take(wallet, large().request)
    await turns.take(wallet, large().request)
    const third = turns.take(wallet, large().request)
    assert.equal(await isSettled(third), false)
    const chunked = turns.take(wallet, requestOf(JSON_TYPE).request)
    assert.equal(await isSettled(chunked), false, 'of unknown length is large')
    const shouted = requestOf({ 'content-type': 'Application/JSON', 'content-length': '30000000' })
    assert.equal(await isSettled(turns.take(wallet, shouted.request)), false, 'however its type is written')
    first?.()
    first?.()
    assert.ok(await isSettled(third))
    assert.equal(await isSettled(chunked), false, 'given back twice is once')
  })

  test('another account does not wait behind one that has its share', async () => {
    const turns = new LargeBodyTurns()
    const greedy = newWallet()
    for (let index = 0; index < 20; index++) void turns.take(greedy, large().request)
    assert.ok(await isSettled(turns.take(newWallet(), large().request)))
  })

  test('eight in all', async () => {
    const turns = new LargeBodyTurns()
    const taken = Array.from({ length: 8 }, () => turns.take(newWallet(), large().request))
    for (const each of taken) assert.ok(await isSettled(each))
    const ninth = turns.take(newWallet(), large().request)
    assert.equal(await isSettled(ninth), false)
    const [first] = taken
    ;(await first)?.()
    assert.ok(await isSettled(ninth))
  })

  test('of a client that leaves pass on, whether it waited or had begun', async () => {
    const turns = new LargeBodyTurns()
    const wallet = newWallet()
    const [one, two, three, four] = [large(), large(), large(), large()]
    await turns.take(wallet, one.request)
    await turns.take(wallet, two.request)
    const waiting = turns.take(wallet, three.request)
    const last = turns.take(wallet, four.request)
    three.leave()
    await waiting
    assert.equal(await isSettled(last), false)
    one.leave()
    assert.ok(await isSettled(last))
  })

  test('one account that waits as often as it may is refused itself, and no other account', async () => {
    const turns = new LargeBodyTurns()
    const greedy = newWallet()
    for (let index = 0; index < 2 + MAX_WAITING_OF_ACCOUNT; index++) void turns.take(greedy, large().request)
    await assert.rejects(turns.take(greedy, large().request), (error) => {
      return error instanceof Refusal && error.code === 'rate_limited' && error.retryAfterSeconds === 10
    })
    assert.ok(await isSettled(turns.take(newWallet(), large().request)), 'a turn was free for another account')
  })

  test('five accounts with all that they may have open leave a turn for the sixth', async () => {
    const turns = new LargeBodyTurns()
    for (let index = 0; index < 5; index++) {
      const wallet = newWallet()
      for (let each = 0; each < 10; each++) void turns.take(wallet, large().request)
    }
    assert.ok(await isSettled(turns.take(newWallet(), large().request)))
  })

  test('waiting for one ends by itself, and leaves nothing at its connection', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const turns = new LargeBodyTurns()
    const wallet = newWallet()
    await turns.take(wallet, large().request)
    await turns.take(wallet, large().request)
    const { request } = large()
    const late = turns.take(wallet, request)
    t.mock.timers.tick(60_000)
    await assert.rejects(late, { code: 'unavailable', retryAfterSeconds: 10 })
    assert.equal(request.socket.listenerCount('close'), 0)
  })
})
