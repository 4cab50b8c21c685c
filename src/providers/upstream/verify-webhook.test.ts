import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Webhook } from '../provider.ts'
import { verifyWebhook, webhookSecretBytes } from './verify-webhook.ts'

// The example of the specification's own test suite.
const SECRET = webhookSecretBytes('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'main')
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const SENT_AT = 1_614_265_330
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'

const message = (change: Record<string, string | undefined> = {}, body = '{"test": 2432232314}'): Webhook => ({
  headers: { 'webhook-id': ID, 'webhook-timestamp': String(SENT_AT), 'webhook-signature': SIGNATURE, ...change },
  body: Buffer.from(body),
})
const judged = (webhook: Webhook, lateSeconds = 0, secret = SECRET) =>
  verifyWebhook(webhook, secret, new Date((SENT_AT + lateSeconds) * 1_000))

describe('a signed webhook', () => {
  test('is genuine as the specification signs it, also beside the signature of another secret', () => {
    assert.equal(judged(message()), 'genuine')
    const other = `v1,${'A'.repeat(43)}=`
    for (const signatures of [`${other} ${SIGNATURE}`, `${SIGNATURE} ${other}`, `v1a,x ${SIGNATURE}`]) {
      assert.equal(judged(message({ 'webhook-signature': signatures })), 'genuine', signatures)
    }
  })

  test('is stale five minutes after it was sent, and five minutes before', () => {
    for (const [late, verdict] of [
      [300, 'genuine'],
      [301, 'stale'],
      [-300, 'genuine'],
      [-301, 'stale'],
    ] as const) {
      assert.equal(judged(message(), late), verdict, `${late} s`)
    }
  })

  test('is forged when a byte of it, its id, its time or its secret is another', () => {
    assert.equal(judged(message({}, '{"test": 2432232315}')), 'forged')
    assert.equal(judged(message({ 'webhook-id': 'msg_other' })), 'forged')
    assert.equal(judged(message({ 'webhook-timestamp': String(SENT_AT + 1) })), 'forged')
    assert.equal(judged(message(), 0, Buffer.alloc(24)), 'forged')
    for (const signatures of ['', 'v1,', SIGNATURE.slice(3), `v2,${SIGNATURE.slice(3)}`, SIGNATURE.slice(0, -1)]) {
      assert.equal(judged(message({ 'webhook-signature': signatures })), 'forged', signatures)
    }
  })

  test('is unsigned without any of its three headers', () => {
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      assert.equal(judged(message({ [name]: undefined })), 'unsigned', name)
    }
  })
})

test('a secret is base64, with its prefix or without, and a sentence refuses another without showing it', () => {
  assert.deepEqual(webhookSecretBytes('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'main'), SECRET)
  for (const wrong of ['whsec_', 'whsec_c2hvcnQ=', 'not base64, this secret', '']) {
    assert.throws(
      () => webhookSecretBytes(wrong, 'main'),
      (error) =>
        error instanceof Error &&
        error.message.includes('providers.main.webhookSecret') &&
        !/c2hvcnQ|this/.test(error.message),
    )
  }
})
