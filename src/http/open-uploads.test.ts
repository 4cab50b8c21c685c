import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { Refusal } from '../canonical/refusal.ts'
import { MAX_OPEN_UPLOADS, OpenUploads } from './open-uploads.ts'

let wallets = 0n
const newWallet = () => ++wallets

/** Only what an upload looks at. */
const connection = () => ({ socket: new EventEmitter() as Socket })

describe('open uploads', () => {
  const wallet = newWallet()

  test('of one account are so many, and more when one has ended; others are not concerned', () => {
    const uploads = new OpenUploads()
    const [end] = Array.from({ length: MAX_OPEN_UPLOADS }, () => uploads.begin(wallet, connection()))
    assert.throws(
      () => uploads.begin(wallet, connection()),
      (error) => error instanceof Refusal && error.code === 'rate_limited' && error.retryAfterSeconds === 10,
    )
    uploads.begin(newWallet(), connection())
    end?.()
    end?.()
    uploads.begin(wallet, connection())
    assert.throws(() => uploads.begin(wallet, connection()), Refusal, 'ended twice is once')
  })

  test('end with their connection, which keeps nothing of those that have ended', () => {
    const uploads = new OpenUploads()
    const [first, ...others] = Array.from({ length: MAX_OPEN_UPLOADS }, connection)
    assert.ok(first)
    for (const each of [first, ...others]) uploads.begin(wallet, each)
    first.socket.emit('close')
    const end = uploads.begin(wallet, first)
    end()
    assert.equal(first.socket.listenerCount('close'), 0)
  })
})
