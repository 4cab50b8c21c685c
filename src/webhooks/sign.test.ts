import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeliveryId } from './delivery.ts'
import { shownSecret, signatureHeaders } from './sign.ts'

// The example of the specification's own test suite.
const SECRET = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const MESSAGE = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek' as DeliveryId,
  now: new Date(1_614_265_330_999),
  body: '{"test": 2432232314}',
}
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='

test('signs as the specification does', () => {
  assert.deepEqual(signatureHeaders(MESSAGE, [Buffer.from(SECRET, 'base64')]), {
    'webhook-id': MESSAGE.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': SIGNATURE,
  })
})

test('signs with each secret, separated by spaces', () => {
  const headers = signatureHeaders(MESSAGE, [Buffer.alloc(32), Buffer.from(SECRET, 'base64')])
  const [first, second, ...more] = String(headers['webhook-signature']).split(' ')
  assert.match(first ?? '', /^v1,[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual([second, more], [SIGNATURE, []])
})

test('shows a secret as receivers read it', () => {
  assert.equal(shownSecret(Buffer.from(SECRET, 'base64')), `whsec_${SECRET}`)
})
