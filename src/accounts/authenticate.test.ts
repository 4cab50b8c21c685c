import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { waitFor } from '../../test/support/patience.ts'
import { Refusal, type RefusalCode } from '../canonical/refusal.ts'
import type { Queryable } from '../db/database.ts'
import { Notifications } from '../db/notifications.ts'
import { addressPrefix } from './address-prefix.ts'
import { Authenticator, assertScope } from './authenticate.ts'
import { createAccount } from './create-account.ts'
import { createKey } from './create-key.ts'
import { hashSecret, modeOfSecret, newKeySecret, prefixOf } from './key-secret.ts'
import { revokeKey, selectKeys } from './queries.ts'
import { REFUSED_PER_MINUTE } from './refused-addresses.ts'

const ADDRESS = '192.0.2.1'

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
    const live = await authenticator.authenticate(`Bearer ${liveKey}`, ADDRESS)
    const test = await authenticator.authenticate(`Bearer ${testKey}`, ADDRESS)
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
    const ask = () => authenticator.authenticate(`Bearer ${secret}`, ADDRESS)
    await ask()
    await revokeKey(database.pool, key.id)
    now = 4_999
    await ask()
    now = 5_000
    await assert.rejects(ask, refused('key_revoked'))

    const second = await createKey(database.pool, wanted)
    const askSecond = () => authenticator.authenticate(`Bearer ${second.secret}`, ADDRESS)
    await askSecond()
    await revokeKey(database.pool, second.key.id)
    authenticator.forget(hashSecret(second.secret).toString('hex'))
    await assert.rejects(askSecond, refused('key_revoked'))
  })

  test('a key that was refused works as soon as it is made', async () => {
    const { account } = await createAccount(database.pool, NEW)
    const secret = newKeySecret('live')
    const authenticator = new Authenticator({ db: database.pool })
    const ask = () => authenticator.authenticate(`Bearer ${secret}`, ADDRESS)
    await assert.rejects(ask, refused('key_invalid'))
    const wanted = {
      account: account.id,
      mode: 'live',
      name: undefined,
      scopes: ['credits:read'],
      expiresInDays: 1,
    } as const
    await using notifications = new Notifications({
      config: { connectionString: database.url },
      handlers: { reelay_keys: (hash) => authenticator.forget(hash) },
      onConnected: async () => {},
      onError: (error) => assert.fail(String(error)),
    })
    await notifications.open()
    await createKey(database.pool, { ...wanted, secret })
    const holder = await waitFor('the key to be known', () => ask().catch(() => undefined))
    assert.equal(holder.account.id, account.id)
    assert.doesNotThrow(() => assertScope(holder, 'credits:read'))
    assert.throws(() => assertScope(holder, 'models:read'), refused('scope_denied'))
  })

  /** The database with its answers counted, and kept back from `hold` to `release`. */
  function observed() {
    let answers = 0
    let held: Promise<void> | undefined
    let release = () => {}
    const db: Queryable = new Proxy(database.pool, {
      get: (pool, name) => {
        if (name !== 'query') return Reflect.get(pool, name)
        return async (...args: Parameters<typeof pool.query>) => {
          const answer = await pool.query(...args)
          answers += 1
          await held
          return answer
        }
      },
    })
    return {
      db,
      answers: () => answers,
      hold: () => {
        held = new Promise((resolve) => {
          release = resolve
        })
      },
      release: () => {
        held = undefined
        release()
      },
    }
  }

  test('a key that is not there is asked for once in a while, however often it comes', async () => {
    const { db, answers } = observed()
    let now = 0
    const authenticator = new Authenticator({ db, now: () => now })
    const secret = newKeySecret('live')
    const ask = () => authenticator.authenticate(`Bearer ${secret}`, ADDRESS)
    await Promise.all(Array.from({ length: 20 }, () => assert.rejects(ask, refused('key_invalid'))))
    await assert.rejects(ask, refused('key_invalid'))
    assert.equal(answers(), 1)
    now = 5_000
    await assert.rejects(ask, refused('key_invalid'))
    assert.equal(answers(), 2)
  })

  test('keys that are not there take no more of the database than a few statements, however many come', async () => {
    const { db, answers } = observed()
    const authenticator = new Authenticator({ db })
    const { liveKey } = await createAccount(database.pool, NEW)
    const strangers = Array.from({ length: 1_000 }, (_, index) =>
      authenticator.authenticate(`Bearer ${newKeySecret('live')}`, `192.0.2.${index % 10}`).catch(() => undefined),
    )
    const holder = await authenticator.authenticate(`Bearer ${liveKey}`, ADDRESS)
    await Promise.all(strangers)
    assert.equal(holder.account.name, NEW.name)
    assert.ok(answers() <= 10, `${answers()} statements`)
  })

  test('a key that was never seen passes in any number of requests at once', async () => {
    const { db, answers } = observed()
    const authenticator = new Authenticator({ db })
    const { liveKey } = await createAccount(database.pool, NEW)
    const requests = Array.from({ length: 5_000 }, () => authenticator.authenticate(`Bearer ${liveKey}`, ADDRESS))
    for (const { account } of await Promise.all(requests)) assert.equal(account.name, NEW.name)
    assert.equal(answers(), 1)
  })

  test('an address that sends bad keys is told to wait, and its valid keys pass, seen before or not', async () => {
    let now = 0
    const authenticator = new Authenticator({ db: database.pool, now: () => now })
    const { liveKey, testKey } = await createAccount(database.pool, NEW)
    await authenticator.authenticate(`Bearer ${liveKey}`, ADDRESS)
    const bad = (address: string, key = newKeySecret('live')) => authenticator.authenticate(`Bearer ${key}`, address)
    for (let count = 0; count < REFUSED_PER_MINUTE; count++) {
      const code = count % 3 === 0 ? 'key_missing' : 'key_invalid'
      const ask = () => (count % 3 === 0 ? authenticator.authenticate(undefined, ADDRESS) : bad(ADDRESS))
      await assert.rejects(ask, refused(code))
    }
    await assert.rejects(bad(ADDRESS), (error) => {
      assert.ok(error instanceof Refusal)
      assert.deepEqual([error.code, error.retryAfterSeconds], ['rate_limited', 60])
      return true
    })
    await assert.rejects(bad(ADDRESS, 'nonsense'), refused('rate_limited'))
    for (const key of [liveKey, testKey]) {
      assert.equal((await authenticator.authenticate(`Bearer ${key}`, ADDRESS)).account.name, NEW.name)
      now += 6_000
    }
    await assert.rejects(bad('192.0.2.2'), refused('key_invalid'))
    now += 60_000
    await assert.rejects(bad(ADDRESS), refused('key_invalid'))
  })

  test('an address is an IPv4 address, or the half of an IPv6 address that a customer is given', () => {
    assert.equal(addressPrefix('::ffff:192.0.2.1'), addressPrefix('192.0.2.1'))
    assert.notEqual(addressPrefix('192.0.2.2'), addressPrefix('192.0.2.1'))
    assert.equal(addressPrefix('2001:db8:1:2:3:4:5:6'), addressPrefix('2001:db8:1:2:ffff::1'))
    assert.equal(addressPrefix('fe80::1%eth0'), addressPrefix('fe80::2%eth0'))
    assert.notEqual(addressPrefix('2001:db8:1:3::1'), addressPrefix('2001:db8:1:2::1'))
    assert.equal(addressPrefix(undefined), 'local')
  })

  test('a revocation that comes while its key is looked up wins, for those who wait and for those who come', async () => {
    for (const forget of ['forget', 'forgetAll'] as const) {
      const { account } = await createAccount(database.pool, NEW)
      const wanted = { account: account.id, mode: 'live', name: 'x', scopes: [], expiresInDays: undefined } as const
      const { key, secret } = await createKey(database.pool, wanted)
      const { db, hold, release, answers } = observed()
      const authenticator = new Authenticator({ db })
      const ask = () => authenticator.authenticate(`Bearer ${secret}`, ADDRESS)
      hold()
      const waiting = assert.rejects(ask, refused('key_revoked'))
      await waitFor('the look-up', () => answers() > 0 || undefined)
      await revokeKey(database.pool, key.id)
      authenticator[forget](hashSecret(secret).toString('hex'))
      const late = assert.rejects(ask, refused('key_revoked'))
      release()
      await Promise.all([waiting, late])
      await assert.rejects(ask, refused('key_revoked'))
    }
  })

  test('a key may have no name', async () => {
    const { account } = await createAccount(database.pool, NEW)
    const wanted = { account: account.id, mode: 'live', name: undefined, scopes: [], expiresInDays: undefined } as const
    assert.equal((await createKey(database.pool, wanted)).key.name, undefined)
  })
})
