import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { newId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { MAX_OPEN_UPLOADS, OpenUploads } from './open-uploads.ts'

/** Only what an upload looks at. */
const connection = () => ({ socket: new EventEmitter() as Socket })

describe('open uploads', () => {
  const account = newId('acct')

  test('of one account are so many, and more when one has ended; others are not concerned', () => {
    const uploads = new OpenUploads()
    const [end] = Array.from({ length: MAX_OPEN_UPLOADS }, () => uploads.begin(account, connection()))
    assert.throws(
      () => uploads.begin(account, connection()),
      (error) => error instanceof Refusal && error.code === 'rate_limited' && error.retryAfterSeconds === 10,
    )
    uploads.begin(newId('acct'), connection())
    end?.()
    end?.()
    uploads.begin(account, connection())
    assert.throws(() => uploads.begin(account, connection()), Refusal, 'ended twice is once')
  })

  test('end with their connection, which keeps nothing of those that have ended', () => {
    const uploads = new OpenUploads()
    const [first, ...others] = Array.from({ length: MAX_OPEN_UPLOADS }, connection)
    assert.ok(first)
    for (const each of [first, ...others]) uploads.begin(account, each)
    first.socket.emit('close')
    const end = uploads.begin(account, first)
    end()
    assert.equal(first.socket.listenerCount('close'), 0)
  })
})
