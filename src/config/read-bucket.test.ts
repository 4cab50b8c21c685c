import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from './config-error.ts'
import { readConfig } from './read-config.ts'

const BUCKET = { REELAY_STORE: 's3://media', REELAY_S3_REGION: 'eu-central-1' }

describe('the configuration of the store', () => {
  test('takes a bucket of Amazon’s by name and region, named as a host, with what keys the SDK finds', () => {
    assert.deepEqual(readConfig(BUCKET).store, {
      name: 'media',
      prefix: '',
      endpoint: undefined,
      region: 'eu-central-1',
      isInPath: false,
      credentials: undefined,
    })
  })

  test('takes a bucket elsewhere by its address, named in the path', () => {
    const { store } = readConfig({ REELAY_STORE: 's3://media/a/b', REELAY_S3_ENDPOINT: 'http://127.0.0.1:9000' })
    assert.deepEqual(store, {
      name: 'media',
      prefix: 'a/b',
      endpoint: 'http://127.0.0.1:9000',
      region: 'us-east-1',
      isInPath: true,
      credentials: undefined,
    })
  })

  test('names a bucket with a dot in the path, for no certificate covers it as a host', () => {
    assert.equal(readConfig({ ...BUCKET, REELAY_STORE: 's3://media.example' }).store?.isInPath, true)
  })

  test('leaves keys alone that other programs need, as long as there is no bucket', () => {
    assert.equal(readConfig({ AWS_ACCESS_KEY_ID: 'id' }).store, undefined)
  })

  const refused: readonly (readonly [name: string, environment: Record<string, string>, ...says: string[]])[] = [
    ['an unknown scheme', { REELAY_STORE: 'gs://media' }, 'REELAY_STORE', 's3://<bucket>'],
    ['a path', { REELAY_STORE: '/srv/media' }, 'REELAY_STORE', 's3://<bucket>'],
    ['no bucket', { ...BUCKET, REELAY_STORE: 's3:///x' }, 'REELAY_STORE names no bucket'],
    ['a short name', { ...BUCKET, REELAY_STORE: 's3://ab' }, 'REELAY_STORE names no bucket', '3 to 63'],
    ['a long name', { ...BUCKET, REELAY_STORE: `s3://${'a'.repeat(64)}` }, 'REELAY_STORE names no bucket'],
    ['large letters', { ...BUCKET, REELAY_STORE: 's3://Media' }, 'REELAY_STORE names no bucket'],
    ['two dots', { ...BUCKET, REELAY_STORE: 's3://a..b' }, 'REELAY_STORE names no bucket'],
    ['a hyphen at the end', { ...BUCKET, REELAY_STORE: 's3://media-' }, 'REELAY_STORE names no bucket'],
    ['an address as a name', { ...BUCKET, REELAY_STORE: 's3://10.0.0.1' }, 'REELAY_STORE names no bucket'],
    ['a prefix that leads elsewhere', { ...BUCKET, REELAY_STORE: 's3://media/../x' }, 'REELAY_STORE has a prefix'],
    ['a prefix with an empty part', { ...BUCKET, REELAY_STORE: 's3://media/a//b' }, 'REELAY_STORE has a prefix'],
    ['a long prefix', { ...BUCKET, REELAY_STORE: `s3://media/${'a'.repeat(257)}` }, 'REELAY_STORE has a prefix', '256'],
    ['a bucket nowhere', { REELAY_STORE: 's3://media' }, 'REELAY_STORE', 'REELAY_S3_REGION', 'REELAY_S3_ENDPOINT'],
    ['an address without a bucket', { REELAY_S3_ENDPOINT: 'https://s3' }, 'REELAY_S3_ENDPOINT needs REELAY_STORE'],
    ['a region without a bucket', { REELAY_S3_REGION: 'eu-central-1' }, 'REELAY_S3_REGION needs REELAY_STORE'],
    ['a style without a bucket', { REELAY_S3_PATH_STYLE: 'true' }, 'REELAY_S3_PATH_STYLE needs REELAY_STORE'],
    ['an address with a query', { ...BUCKET, REELAY_S3_ENDPOINT: 'https://s3/?a' }, 'REELAY_S3_ENDPOINT'],
    ['an address of another kind', { ...BUCKET, REELAY_S3_ENDPOINT: 'ftp://s3' }, 'REELAY_S3_ENDPOINT'],
    ['no region’s name', { ...BUCKET, REELAY_S3_REGION: 'Frankfurt am Main' }, 'REELAY_S3_REGION=Frankfurt am Main'],
    ['another style', { ...BUCKET, REELAY_S3_PATH_STYLE: 'yes' }, 'REELAY_S3_PATH_STYLE=yes', 'true, false'],
    ['half a pair', { ...BUCKET, AWS_ACCESS_KEY_ID: 'id' }, 'AWS_ACCESS_KEY_ID needs AWS_SECRET_ACCESS_KEY'],
    ['the other half', { ...BUCKET, AWS_SECRET_ACCESS_KEY: 'x' }, 'AWS_SECRET_ACCESS_KEY needs AWS_ACCESS_KEY_ID'],
    ['a token without keys', { ...BUCKET, AWS_SESSION_TOKEN: 'x' }, 'AWS_SESSION_TOKEN needs AWS_ACCESS_KEY_ID'],
  ]
  for (const [name, environment, ...says] of refused) {
    test(`refuses ${name}, and names the variables`, () => {
      assert.throws(
        () => readConfig(environment),
        (error) => {
          assert.ok(error instanceof ConfigError, String(error))
          for (const part of says) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`)
          return true
        },
      )
    })
  }

  test('never shows what may be a secret', () => {
    const hidden: readonly Record<string, string>[] = [
      { ...BUCKET, REELAY_STORE: 's3://id:hush@media' },
      { ...BUCKET, REELAY_S3_ENDPOINT: 'https://id:hush@s3' },
      { ...BUCKET, AWS_SECRET_ACCESS_KEY: 'hush' },
      { ...BUCKET, AWS_SESSION_TOKEN: 'hush' },
    ]
    for (const environment of hidden) {
      assert.throws(
        () => readConfig(environment),
        (error) => error instanceof ConfigError && !error.message.includes('hush'),
      )
    }
  })
})
