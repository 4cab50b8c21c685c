import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { Refusal, type RefusalCode } from '../canonical/refusal.ts'
import { Authenticator } from './authenticate.ts'
import { createAccount } from './create-account.ts'
import { createKey } from './create-key.ts'
import { hashSecret, modeOfSecret, newKeySecret, prefixOf } from './key-secret.ts'
import { revokeKey, selectKeys } from './queries.ts'

const NEW = { name: 'Ada', plan: 'free', credits: 5n, spicyAllowed: false } as const

describe('accounts and keys', () => {
  let database: TestDatabase
  before(async () => {
    database = await testDatabase()
  })
  after(() => database[Symbol.asyncDispose]())

  const refused = (code: RefusalCode) => (error: unknown) => error instanceof Refusal && error.code === code

  test('a new secret has 192 random bits, its mode in front, and is never stored', async () => {
    const secret = newKeySecret('test')
    assert.match(secret, /^rly_test_[A-Za-z0-9_-]{32}$/)
    assert.notEqual(secret, newKeySecret('test'))
    assert.equal(modeOfSecret(secret), 'test')
    for (const text of ['', 'rly_prod_'.padEnd(50, 'a'), secret.slice(0, 40), `${secret} `, `x${secret}`]) {
      assert.equal(modeOfSecret(text), undefined, text)
    }
    const { liveKey } = await createAccount(database.pool, NEW)
    const { rows } = await database.pool.query('select k::text as line from api_keys k')
    for (const { line } of rows) assert.ok(!line.includes(liveKey.slice(prefixOf(liveKey).length)))
  })

  test('an account has a wallet and a key for each mode, and each key its own wallet', async () => {
    const { account, liveKey, testKey } = await createAccount(database.pool, NEW)
    const authenticator = new Authenticator({ db: database.pool })
    const live = await authenticator.authenticate(`Bearer ${liveKey}`, 'credits:read')
    const test = await authenticator.authenticate(`Bearer ${testKey}`, 'credits:read')
    assert.deepEqual([live.account.id, test.account.id], [account.id, account.id])
    assert.deepEqual([live.key.mode, test.key.mode], ['live', 'test'])
    assert.notEqual(live.walletId, test.walletId)
    assert.equal((await selectKeys(database.pool, account.id)).length, 2)
  })

  test('a checked key is believed for five seconds, no longer, and forgotten when told', async () => {
    const { account } = await createAccount(database.pool, NEW)
    const wanted = {
      account: account.id,
      mode: 'live',
      name: 'x',
      scopes: ['credits:read'],
      expiresInDays: undefined,
    } as const
    const { key, secret } = await createKey(database.pool, wanted)
    let now = 0
    const authenticator = new Authenticator({ db: database.pool, now: () => now })
    const ask = () => authenticator.authenticate(`Bearer ${secret}`, 'credits:read')
    await ask()
    await revokeKey(database.pool, key.id)
    now = 4_999
    await ask()
    now = 5_000
    await assert.rejects(ask, refused('key_revoked'))

    const second = await createKey(database.pool, wanted)
    const askSecond = () => authenticator.authenticate(`Bearer ${second.secret}`, 'credits:read')
    await askSecond()
    await revokeKey(database.pool, second.key.id)
    authenticator.forget(hashSecret(second.secret).toString('hex'))
    await assert.rejects(askSecond, refused('key_revoked'))
  })

  test('a refused key is not remembered: it works as soon as it is made', async () => {
    const { account } = await createAccount(database.pool, NEW)
    const secret = newKeySecret('live')
    const authenticator = new Authenticator({ db: database.pool })
    const ask = () => authenticator.authenticate(`Bearer ${secret}`, 'credits:read')
    await assert.rejects(ask, refused('key_invalid'))
    const wanted = {
      account: account.id,
      mode: 'live',
      name: undefined,
      scopes: ['credits:read'],
      expiresInDays: 1,
    } as const
    await createKey(database.pool, { ...wanted, secret })
    assert.equal((await ask()).account.id, account.id)
    await assert.rejects(authenticator.authenticate(`Bearer ${secret}`, 'models:read'), refused('scope_denied'))
  })

  test('a key may have no name', async () => {
    const { account } = await createAccount(database.pool, NEW)
    const wanted = { account: account.id, mode: 'live', name: undefined, scopes: [], expiresInDays: undefined } as const
    assert.equal((await createKey(database.pool, wanted)).key.name, undefined)
  })
})
