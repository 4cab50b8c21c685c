import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ConfigError } from './config-error.ts'
import { readConfig } from './read-config.ts'

const KEY = `rly_live_${'k'.repeat(32)}`
const DATABASE_URL = 'postgres://reelay@db/reelay'

/** Refused with one sentence that names each of `says`. */
function assertRefused(environment: Record<string, string>, ...says: string[]): void {
  assert.throws(
    () => readConfig(environment),
    (error) => {
      assert.ok(error instanceof ConfigError, String(error))
      for (const part of says) assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`)
      assert.doesNotMatch(error.message, /\n/)
      return true
    },
  )
}

describe('the configuration', () => {
  test('of an empty environment is a laptop’s: embedded database, this machine only, everything in ./data', () => {
    const { renderConcurrency, ...config } = readConfig({})
    assert.deepEqual(config, {
      host: '127.0.0.1',
      port: 8787,
      publicUrl: undefined,
      corsOrigins: [],
      dataDirectory: resolve('data'),
      store: undefined,
      mediaDirectory: undefined,
      databaseUrl: undefined,
      databaseConnections: 18,
      migrations: 'apply',
      redisUrl: undefined,
      allowNets: [],
      role: 'all',
      bootstrap: undefined,
      metricsToken: undefined,
      providersFile: undefined,
      logLevel: 'info',
      drainSeconds: 45,
    })
    assert.ok(renderConcurrency >= 1)
  })

  test('takes an empty variable for an absent one', () => {
    const names = [
      'REELAY_CORS_ORIGINS',
      'REELAY_PORT',
      'REELAY_HOST',
      'REELAY_DATA_DIR',
      'REELAY_PUBLIC_URL',
      'DATABASE_URL',
      'REELAY_ROLE',
    ]
    const more = [
      'REELAY_BOOTSTRAP_KEY',
      'REELAY_BOOTSTRAP_CREDITS',
      'REELAY_METRICS_TOKEN',
      'REELAY_CONFIG',
      'REELAY_LOG_LEVEL',
      'REDIS_URL',
      'REELAY_STORE',
      'REELAY_S3_ENDPOINT',
      'REELAY_S3_REGION',
      'REELAY_S3_PATH_STYLE',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
    ]
    const empty = Object.fromEntries(
      [...names, ...more, 'REELAY_RENDER_CONCURRENCY', 'REELAY_DRAIN_SECONDS'].map((name) => [name, '']),
    )
    assert.deepEqual(readConfig(empty), readConfig({}))
  })

  test('reads every variable', () => {
    assert.deepEqual(
      readConfig({
        REELAY_PORT: '80',
        REELAY_HOST: '0.0.0.0',
        REELAY_DATA_DIR: '/var/lib/reelay',
        REELAY_STORE: 's3://media/reelay/',
        REELAY_S3_ENDPOINT: 'https://s3.example.com/',
        REELAY_S3_REGION: 'eu-central-1',
        REELAY_S3_PATH_STYLE: 'false',
        AWS_ACCESS_KEY_ID: 'id',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'token',
        REELAY_PUBLIC_URL: 'https://video.example.com/reelay/',
        REELAY_CORS_ORIGINS: 'https://app.example.com, http://localhost:3000',
        DATABASE_URL,
        REELAY_DATABASE_CONNECTIONS: '40',
        REELAY_MIGRATE: 'check',
        REDIS_URL: 'redis://cache',
        REELAY_ALLOW_NETS: '10.0.0.0/8',
        REELAY_ROLE: 'api',
        REELAY_BOOTSTRAP_KEY: KEY,
        REELAY_BOOTSTRAP_CREDITS: '0',
        REELAY_METRICS_TOKEN: 'secret',
        REELAY_CONFIG: '/etc/reelay.json',
        REELAY_LOG_LEVEL: 'debug',
        REELAY_RENDER_CONCURRENCY: '3',
        REELAY_DRAIN_SECONDS: '90',
      }),
      {
        host: '0.0.0.0',
        port: 80,
        publicUrl: 'https://video.example.com/reelay',
        corsOrigins: ['https://app.example.com', 'http://localhost:3000'],
        dataDirectory: '/var/lib/reelay',
        store: {
          name: 'media',
          prefix: 'reelay',
          endpoint: 'https://s3.example.com',
          region: 'eu-central-1',
          isInPath: false,
          credentials: { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' },
        },
        mediaDirectory: undefined,
        databaseUrl: DATABASE_URL,
        databaseConnections: 40,
        migrations: 'check',
        redisUrl: 'redis://cache',
        allowNets: ['10.0.0.0/8'],
        role: 'api',
        bootstrap: { key: KEY, credits: 0n },
        metricsToken: 'secret',
        providersFile: '/etc/reelay.json',
        logLevel: 'debug',
        renderConcurrency: 3,
        drainSeconds: 90,
      },
    )
  })

  test('gives the first account credits to play with when none are named', () => {
    assert.deepEqual(readConfig({ REELAY_BOOTSTRAP_KEY: KEY }).bootstrap, { key: KEY, credits: 1_000_000n })
  })

  const refused: readonly (readonly [name: string, environment: Record<string, string>, ...says: string[]])[] = [
    ['a worker without a database to share', { REELAY_ROLE: 'worker' }, 'REELAY_ROLE=worker', 'DATABASE_URL'],
    ['an API without a database to share', { REELAY_ROLE: 'api' }, 'REELAY_ROLE=api', 'DATABASE_URL'],
    ['credits for nobody', { REELAY_BOOTSTRAP_CREDITS: '5' }, 'REELAY_BOOTSTRAP_CREDITS', 'REELAY_BOOTSTRAP_KEY'],
    ['links that would name no address', { REELAY_HOST: '0.0.0.0' }, 'REELAY_HOST=0.0.0.0', 'REELAY_PUBLIC_URL'],
    ['the same in IPv6', { REELAY_HOST: '::' }, 'REELAY_HOST=::', 'REELAY_PUBLIC_URL'],
    ['a worker with a store of its own', { REELAY_ROLE: 'worker', DATABASE_URL }, 'REELAY_ROLE=worker', 'REELAY_STORE'],
    ['an API with a store of its own', { REELAY_ROLE: 'api', DATABASE_URL }, 'REELAY_ROLE=api', 'REELAY_STORE'],
    ['a folder that is relative', { REELAY_STORE: 'file:media' }, 'REELAY_STORE=file:media', 'file:///'],
    ['a folder of another host', { REELAY_STORE: 'file://nas/media' }, 'REELAY_STORE=file://nas/media', 'file:///'],
    ['the root as the store', { REELAY_STORE: 'file:///' }, 'REELAY_STORE=file:///', 'file:///srv'],
    ['an unknown role', { REELAY_ROLE: 'boss' }, 'REELAY_ROLE=boss', 'all, api, worker'],
    ['an unknown log level', { REELAY_LOG_LEVEL: 'loud' }, 'REELAY_LOG_LEVEL=loud', 'info'],
    ['another database', { DATABASE_URL: 'mysql://db/x' }, 'DATABASE_URL', 'postgres://'],
    ['a test key for the first account', { REELAY_BOOTSTRAP_KEY: `rly_test_${'k'.repeat(32)}` }, 'rly_live_'],
    ['a short key', { REELAY_BOOTSTRAP_KEY: 'rly_live_short' }, 'REELAY_BOOTSTRAP_KEY', '32 to 128'],
    [
      'credits below zero',
      { REELAY_BOOTSTRAP_KEY: KEY, REELAY_BOOTSTRAP_CREDITS: '-1' },
      'REELAY_BOOTSTRAP_CREDITS=-1',
    ],
    ['a public address with a query', { REELAY_PUBLIC_URL: 'https://x/?a=1' }, 'REELAY_PUBLIC_URL=https://x/?a=1'],
    ['a public address with a user', { REELAY_PUBLIC_URL: 'https://me:pw@x/' }, 'REELAY_PUBLIC_URL'],
    ['a public address that is no web address', { REELAY_PUBLIC_URL: 'ftp://x' }, 'REELAY_PUBLIC_URL=ftp://x'],
    ['a public address without a scheme', { REELAY_PUBLIC_URL: 'example.com' }, 'REELAY_PUBLIC_URL=example.com'],
    ['no renders at all', { REELAY_RENDER_CONCURRENCY: '0' }, 'REELAY_RENDER_CONCURRENCY=0', '1 to 64'],
    ['a drain of no time', { REELAY_DRAIN_SECONDS: '0' }, 'REELAY_DRAIN_SECONDS=0', '1 to 3600'],
    ['a drain with a unit', { REELAY_DRAIN_SECONDS: '45s' }, 'REELAY_DRAIN_SECONDS=45s', '1 to 3600'],
  ]
  for (const [name, environment, ...says] of refused) {
    test(`refuses ${name}, and names the variables`, () => assertRefused(environment, ...says))
  }

  test('never shows a bootstrap key in its refusal', () => {
    assert.throws(
      () => readConfig({ REELAY_BOOTSTRAP_KEY: 'rly_live_hush!' }),
      (error) => error instanceof Error && !error.message.includes('hush'),
    )
  })

  test('takes a worker on any host, for it has no address; the API’s it must know, for callbacks carry links', () => {
    const store = { REELAY_STORE: 'file:///srv/media' }
    const worker = { REELAY_ROLE: 'worker', DATABASE_URL, REELAY_HOST: '0.0.0.0', ...store }
    assert.equal(readConfig({ ...worker, REELAY_PUBLIC_URL: 'https://x' }).publicUrl, 'https://x')
    assert.throws(() => readConfig(worker), /REELAY_ROLE=worker needs REELAY_PUBLIC_URL/)
  })

  test('takes every port from 0 to 65535 and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: -70_000, max: 140_000 }), (port) => {
        const environment = { REELAY_PORT: String(port) }
        if (port >= 0 && port <= 65_535) assert.equal(readConfig(environment).port, port)
        else assertRefused(environment, `REELAY_PORT=${port}`, '0 to 65535')
      }),
    )
    for (const text of ['80.5', '8e1', '0x50', ' 80', '٨٠', 'http'])
      assertRefused({ REELAY_PORT: text }, 'REELAY_PORT=')
  })
})
