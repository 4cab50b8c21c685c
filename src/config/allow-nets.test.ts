import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchPolicy } from '../media/fetch-policy.ts'
import { ConfigError } from './config-error.ts'
import { readConfig } from './read-config.ts'

test('REELAY_ALLOW_NETS is empty by default, and a list of networks', () => {
  const read = (nets: string | undefined) => readConfig({ REELAY_ALLOW_NETS: nets }).allowNets
  assert.deepEqual(read(undefined), [])
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('127.0.0.0/8, fd00::/8,10.1.2.3/32'), ['127.0.0.0/8', 'fd00::/8', '10.1.2.3/32'])
  assert.equal(fetchPolicy(read('127.0.0.0/8, fd00::/8')).allowNets.length, 2)
})

test('what is no network in full is refused by name, for it could allow what nobody meant', () => {
  for (const wrong of [
    '10/8',
    '127.0.0.1',
    '127.0.0.0/33',
    '10.0.0.0/255.0.0.0',
    '::ffff:10.0.0.0/104',
    'localhost',
    '0x7f.0.0.0/8',
    'fd00::/129',
    '*',
  ]) {
    assert.throws(
      () => readConfig({ REELAY_ALLOW_NETS: `10.0.0.0/8,${wrong}` }),
      (error) => error instanceof ConfigError && error.message.includes(wrong),
      wrong,
    )
  }
})
