import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { SignJWT, UnsecuredJWT } from 'jose'
import { newId } from '../canonical/ids.ts'
import { type DurationClaims, DurationTokens } from './duration-token.ts'

const secret = randomBytes(32)
let now = new Date('2026-03-01T12:00:00Z')
const tokens = new DurationTokens({ secret, now: () => now })
const claims: DurationClaims = {
  account: newId('acct'),
  fileId: newId('file'),
  sha256: 'ab'.repeat(32),
  durationSeconds: 5.041,
  expiresAt: new Date('2026-03-02T12:00:00Z'),
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

describe('DurationTokens', () => {
  it('gives back what was signed', async () => {
    assert.deepEqual(await tokens.verify(await tokens.sign(claims)), { kind: 'valid', claims })
  })

  it('states milliseconds as a whole number', async () => {
    assert.equal(payloadOf(await tokens.sign({ ...claims, durationSeconds: 0.1 + 0.2 })).duration_ms, 300)
    await assert.rejects(tokens.sign({ ...claims, durationSeconds: 0 }), TypeError)
    await assert.rejects(tokens.sign({ ...claims, durationSeconds: Number.NaN }), TypeError)
  })

  it('expires with the file, on the second', async (t) => {
    const before = now
    t.after(() => {
      now = before
    })
    const token = await tokens.sign(claims)
    now = new Date(claims.expiresAt.getTime() - 1_000)
    assert.equal((await tokens.verify(token)).kind, 'valid')
    now = claims.expiresAt
    assert.equal((await tokens.verify(token)).kind, 'expired')
  })

  it('takes no token of another secret, of another algorithm or without one, and none that was changed', async () => {
    const token = await tokens.sign(claims)
    const [head = '', body = '', signature = ''] = token.split('.')
    const payload = payloadOf(token)
    const signed = (alg: string, change: object = {}, key = secret) =>
      new SignJWT({ ...payload, ...change }).setProtectedHeader({ alg }).sign(key)
    const longer = Buffer.from(JSON.stringify({ ...payload, duration_ms: 9_000 })).toString('base64url')
    const noneHead = Buffer.from('{"alg":"none"}').toString('base64url')
    const expired = { exp: Math.floor(now.getTime() / 1000) - 60 }
    const forgeries = {
      'of another secret': await signed('HS256', {}, randomBytes(32)),
      // Nothing is told about an expired forgery either.
      'expired, of another secret': await signed('HS256', expired, randomBytes(32)),
      'of another algorithm': await signed('HS512', {}, Buffer.concat([secret, secret])),
      'of another algorithm with our secret': await signed('HS384', {}, secret),
      'without algorithm': new UnsecuredJWT(payload).encode(),
      'without algorithm, signed': `${noneHead}.${body}.${signature}`,
      'without signature': `${head}.${body}.`,
      changed: `${head}.${longer}.${signature}`,
      'of another audience': await signed('HS256', { aud: 'reelay:other' }),
      'of another issuer': await signed('HS256', { iss: 'other' }),
      'without an end': await signed('HS256', { exp: undefined }),
      'of another shape': await signed('HS256', { duration_ms: '5041' }),
      'of half a second more than a millisecond': await signed('HS256', { duration_ms: 1.5 }),
      'of no account': await signed('HS256', { sub: 'task_00' }),
      empty: '',
      'no token': 'null',
      'a token with a tail': `${token}.x`,
    }
    for (const [name, forgery] of Object.entries(forgeries)) {
      assert.deepEqual(await tokens.verify(forgery), { kind: 'forged' }, name)
    }
  })

  it('refuses a short secret', () => {
    assert.throws(() => new DurationTokens({ secret: randomBytes(16), now: () => now }), /32 bytes/)
  })
})
