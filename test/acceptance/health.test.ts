/** What operators and their machines ask: health, readiness, metrics, request ids, logs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type DatabaseGate, openDatabaseGate } from './database-gate.ts'
import { assertNoFaultLogged, assertRefused, CHEAP, create, credits } from './rivya.ts'

const METRICS_TOKEN = 'a-token-of-the-scraper'

describe('health', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_METRICS_TOKEN: METRICS_TOKEN } })
  })
  after(() => server.stop())

  test('/healthz says that the process answers, /readyz that its parts do', async () => {
    const healthy = await server.ask('GET', '/healthz', { key: null })
    assert.deepEqual([healthy.status, healthy.body], [200, { status: 'ok' }])
    const ready = await server.ask('GET', '/readyz', { key: null })
    assert.deepEqual(
      [ready.status, ready.body],
      [200, { status: 'ready', checks: { database: true, worker: true, storage: true } }],
    )
  })

  test('/metrics is Prometheus text with requests, creates and open tasks', async () => {
    await create(server)
    const { status, headers, text } = await server.ask('GET', '/metrics', { key: null })
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    for (const line of text.split('\n').filter((each) => each !== '')) {
      assert.match(line, /^(# (HELP|TYPE) [a-zA-Z_:][\w:]* .+|[a-zA-Z_:][\w:]*(\{[^}]*\})? \S+)$/)
    }
    assert.match(text, /^reelay_creates_total\{dialect="rivya",outcome="created"\} 1$/m)
    assert.match(
      text,
      /^reelay_http_request_duration_seconds_count\{route="\/api\/v1\/generations",method="POST",status="200"\} 1$/m,
    )
    assert.match(text, /^# TYPE reelay_tasks gauge$/m)
  })

  for (const header of [
    ...[
      'x-forwarded-for',
      'x-real-ip',
      'forwarded',
      'via',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-port',
    ],
    ...['cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'x-envoy-external-address', 'x-original-host', 'cdn-loop'],
  ]) {
    test(`/metrics is absent for whoever comes through a proxy (${header})`, async () => {
      const headers = { [header]: '203.0.113.7' }
      const { status, text } = await server.ask('GET', '/metrics', { key: null, headers })
      assert.equal(status, 404)
      assert.doesNotMatch(text, /reelay_/)
      for (const token of ['wrong', METRICS_TOKEN.slice(1), `${METRICS_TOKEN}x`]) {
        assert.equal((await server.ask('GET', '/metrics', { key: token, headers })).status, 404)
      }
      assert.equal((await server.ask('GET', '/metrics', { key: METRICS_TOKEN, headers })).status, 200)
    })
  }

  for (const [host, status] of [
    ['reelay.example.com', 404],
    ['localhost.example.com', 404],
    ['127.example.com', 404],
    ['a b', 404],
    ['localhost:8787', 200],
    ['[::1]:8787', 200],
    ['127.0.0.1', 200],
  ] as const) {
    test(`/metrics for the host ${host} is ${status}`, async () => {
      assert.equal(await statusFor(`${server.url}/metrics`, { host }), status)
      const authorization = `Bearer ${METRICS_TOKEN}`
      if (host !== 'a b') assert.equal(await statusFor(`${server.url}/metrics`, { host, authorization }), 200)
    })
  }

  test('/metrics needs the token even from this machine when REELAY_PUBLIC_URL says that there is a proxy', async () => {
    const env = { REELAY_METRICS_TOKEN: METRICS_TOKEN, REELAY_PUBLIC_URL: 'https://reelay.example.com' }
    await using proxied = await startServer({ env })
    const { status, text } = await proxied.ask('GET', '/metrics', { key: null })
    assert.equal(status, 404)
    assert.doesNotMatch(text, /reelay_/)
    assert.equal((await proxied.ask('GET', '/metrics', { key: 'wrong' })).status, 404)
    assert.equal((await proxied.ask('GET', '/metrics', { key: METRICS_TOKEN })).status, 200)
  })

  test('every answer has a request id of its own, which the log has, too', async () => {
    const asked: readonly (readonly [method: string, path: string])[] = [
      ['GET', '/healthz'],
      ['GET', '/readyz'],
      ['GET', '/metrics'],
      ['GET', '/api/v1/models'],
      ['GET', '/api/v1/credits'],
      ['HEAD', '/api/v1/credits'],
      ['POST', '/api/v1/generations'],
      ['DELETE', '/api/v1/generations'],
      ['OPTIONS', '/api/v1/generations'],
      ['GET', '/nowhere'],
      ['GET', '/api/v1/generations/%ff'],
      ['GET', '/media/med_00000000000000000000000000000000.mp4'],
    ]
    const ids: string[] = []
    for (const [method, path] of asked) {
      const { headers } = await server.ask(method, path)
      const id = headers.get('x-request-id') ?? ''
      assert.match(id, /^req_[0-9a-f]{32}$/, `${method} ${path}`)
      ids.push(id)
    }
    assert.equal(new Set(ids).size, asked.length)
    for (const id of ids) await waitFor(`${id} in the log`, () => server.log().includes(id) || undefined)
  })

  test('does not take a request id from the caller', async () => {
    const { headers } = await server.ask('GET', '/healthz', {
      headers: { 'x-request-id': 'forged', 'request-id': 'forged' },
    })
    assert.notEqual(headers.get('x-request-id'), 'forged')
  })

  test('the log is JSON, a line for each request, and has no key, wherever it was sent', async () => {
    const key = `rly_live_${'k3y'.repeat(12)}`
    await server.ask('GET', `/api/v1/generations?${server.key}=1`)
    await server.ask('GET', `/api/v1/generations/${key}`)
    await server.ask('GET', `/nowhere/${key}`)
    await server.ask('POST', '/api/v1/generations', { body: { ...CHEAP, prompt: key, [key]: key } })
    const last = await server.ask('GET', '/api/v1/credits', { key })
    const id = last.headers.get('x-request-id') ?? ''
    await waitFor('the last line', () => server.log().includes(id) || undefined)
    assert.doesNotMatch(server.log(), /rly_(live|test)_[A-Za-z0-9_-]/)
    for (const line of server.log().trimEnd().split('\n')) {
      const entry: unknown = JSON.parse(line)
      assert.ok(typeof entry === 'object' && entry !== null)
    }
    assertNoFaultLogged(server)
  })
})

describe('a database that goes away', () => {
  test('makes the server unready, refuses with 503 and Retry-After, and all is well when it is back', async () => {
    await using database = await testDatabase()
    await using gate: DatabaseGate = await openDatabaseGate(database.url)
    await using server = await startServer({ databaseUrl: gate.url, credits: 100 })
    const before = await create(server)

    await gate.close()
    const unready = await waitFor('/readyz to say so', async () => {
      const answer = await server.ask('GET', '/readyz')
      return answer.status === 503 ? answer : undefined
    })
    assert.deepEqual(unready.body, { status: 'not ready', checks: { database: false, worker: false, storage: false } })
    assert.equal((await server.ask('GET', '/healthz')).status, 200)
    for (const answer of [
      await server.ask('GET', '/api/v1/credits'),
      await server.ask('GET', `/api/v1/generations/${before.id}`),
      await server.ask('POST', '/api/v1/generations', { body: CHEAP }),
    ]) {
      assertRefused(answer, { status: 503, code: 'public_api_disabled', says: ['try again'] })
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
    }
    assert.equal((await server.ask('GET', '/api/v1/models')).status, 200, 'what needs no database still works')

    await gate.open()
    await waitFor('/readyz to recover', async () =>
      (await server.ask('GET', '/readyz')).status === 200 ? true : undefined,
    )
    await waitFor('the task to end', async () => {
      const { text } = await server.ask('GET', `/api/v1/generations/${before.id}`)
      return text.includes('"status":"failed"') || undefined
    })
    assert.equal(await credits(server), 100, 'nothing was held for the refused create')
  })
})

/** With a `Host` header that `fetch` would set itself. */
async function statusFor(url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  const call = request(url, { headers })
  const answered = once(call, 'response')
  call.end()
  const [answer] = await answered
  answer.resume()
  return answer.statusCode
}
