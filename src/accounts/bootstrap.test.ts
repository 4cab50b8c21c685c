import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { BootstrapRefused, ensureBootstrapAccount } from './bootstrap.ts'
import { createAccount } from './create-account.ts'
import { newKeySecret } from './key-secret.ts'
import { selectAccounts } from './queries.ts'

describe('the first account', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await testDatabase()
  })
  afterEach(() => database[Symbol.asyncDispose]())

  const ensure = (key: string) => ensureBootstrapAccount(database.pool, { key, credits: 7n })
  const countAccounts = async () => (await selectAccounts(database.pool)).length

  test('is made once, whoever and however many start at the same time', async () => {
    const key = newKeySecret('live')
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => ensure(key)))
    assert.deepEqual(outcomes.toSorted(), ['created', 'known', 'known', 'known', 'known'])
    assert.equal(await countAccounts(), 1)
    assert.equal(await ensure(key), 'known')
  })

  test('is one, though several start at the same time with keys of their own', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => ensure(newKeySecret('live'))))
    assert.deepEqual(outcomes.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.name)).toSorted(), [
      ...Array.from({ length: 4 }, () => 'BootstrapRefused'),
      'created',
    ])
    assert.equal(await countAccounts(), 1)
  })

  test('is not made where there is another, and a key of that one is known', async () => {
    const { liveKey } = await createAccount(database.pool, {
      name: 'Ada',
      plan: 'free',
      credits: 0n,
      spicyAllowed: false,
    })
    const key = newKeySecret('live')
    await assert.rejects(ensure(key), (error) => {
      assert.ok(error instanceof BootstrapRefused)
      assert.match(
        error.message,
        /^REELAY_BOOTSTRAP_KEY is not a key of this installation, which has accounts already;/,
      )
      return !error.message.includes(key)
    })
    assert.equal(await ensure(liveKey), 'known')
    assert.equal(await countAccounts(), 1)
  })
})
