import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { instanceSecret } from './instance-secrets.ts'

let database: TestDatabase

describe('instanceSecret', () => {
  before(async () => {
    database = await testDatabase()
  })
  after(() => database[Symbol.asyncDispose]())

  it('makes a secret once and gives it to all who ask at the same time', async () => {
    const asked = Array.from({ length: 8 }, () => instanceSecret(database.pool, 'race', 32))
    const [first, ...others] = await Promise.all(asked)
    assert.equal(first?.length, 32)
    for (const other of others) assert.deepEqual(other, first)
  })

  it('keeps secrets apart by name', async () => {
    const one = await instanceSecret(database.pool, 'one', 32)
    assert.notDeepEqual(await instanceSecret(database.pool, 'two', 32), one)
  })

  it('refuses a stored secret of another length', async () => {
    await instanceSecret(database.pool, 'short', 16)
    await assert.rejects(instanceSecret(database.pool, 'short', 32), /has 16 bytes and should have 32/)
  })
})
