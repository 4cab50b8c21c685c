/** Who may do what: missing, wrong, revoked, expired and under-scoped keys. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { type Ask, startServer, type TestServer } from '../support/server.ts'
import { assertNoFaultLogged, assertRefused, CHEAP, credits } from './rivya.ts'

const GENERATION = '/api/v1/generations/task_00000000000000000000000000000000'
const FILE = '/api/v1/files/file_00000000000000000000000000000000'

/** Every route that needs a key, with the scope that it needs. */
const ROUTES: readonly (readonly [method: string, path: string, scope: string])[] = [
  ['POST', '/api/v1/generations', 'generations:create'],
  ['GET', '/api/v1/generations', 'generations:read'],
  ['GET', GENERATION, 'generations:read'],
  ['POST', `${GENERATION}/cancel`, 'generations:create'],
  ['GET', '/api/v1/credits', 'credits:read'],
  ['POST', '/api/v1/files', 'files:create'],
  ['GET', '/api/v1/files', 'files:read'],
  ['GET', FILE, 'files:read'],
  ['DELETE', FILE, 'files:create'],
  ['GET', '/rivya/api/v1/credits', 'credits:read'],
]

const WRONG: readonly (readonly [name: string, ask: Ask, code: string, ...says: string[]])[] = [
  ['no key', { key: null }, 'api_key_missing', 'Authorization: Bearer'],
  ['an empty header', { key: null, headers: { authorization: '' } }, 'api_key_missing', 'Authorization: Bearer'],
  ['another scheme', { key: null, headers: { authorization: 'Basic dXNlcjpwYXNz' } }, 'api_key_invalid', 'Bearer'],
  ['a scheme without a key', { key: null, headers: { authorization: 'Bearer' } }, 'api_key_invalid', 'Bearer'],
  ['a key of another vendor', { key: 'rvya_sk_0123456789abcdef0123456789abcdef' }, 'api_key_invalid', 'rly_live_'],
  ['a key that was never made', { key: `rly_live_${'a'.repeat(32)}` }, 'api_key_invalid', 'not valid'],
  ['a key that is cut short', { key: 'rly_live_abc' }, 'api_key_invalid', 'not valid'],
  ['a key of 8,000 characters', { key: `rly_live_${'a'.repeat(8_000)}` }, 'api_key_invalid', 'not valid'],
  ['two keys', { key: `rly_live_${'a'.repeat(32)} rly_live_${'b'.repeat(32)}` }, 'api_key_invalid', 'not valid'],
  ['an SQL injection', { key: "rly_live_' or 1=1; --aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, 'api_key_invalid', 'not valid'],
]

describe('keys', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ credits: 100 })
  })
  after(() => server.stop())

  /** Makes a key with the command line, as an operator does. */
  async function makeKey(...options: string[]): Promise<{ id: string; key: string }> {
    const made = await server.command('keys', 'create', server.accountId ?? '', '--json', ...options)
    assert.equal(made.code, 0, made.stdout + made.stderr)
    const { id, key } = JSON.parse(made.stdout)
    return { id, key }
  }

  for (const [name, ask, code, ...says] of WRONG) {
    test(`refuses ${name} on every route, before it looks at the body`, async () => {
      for (const [method, path] of ROUTES) {
        const body = method === 'POST' ? { body: '{"broken' } : {}
        assertRefused(await server.ask(method, path, { ...ask, ...body }), { status: 401, code, says })
      }
      assert.equal(await credits(server), 100)
    })
  }

  test('tells no more about a key in its refusal than its holder sent', async () => {
    const { text } = await server.ask('GET', '/api/v1/credits', { key: `rly_live_${'secret'.repeat(6)}` })
    assert.doesNotMatch(text, /secret/)
  })

  test('takes the scheme in any case, as HTTP has it', async () => {
    const headers = { authorization: `bearer ${server.key}` }
    assert.equal(await credits(server, { key: null, headers }), 100)
  })

  test('refuses a revoked key within a second, even one that was just used', async () => {
    const { id, key } = await makeKey()
    assert.equal(await credits(server, { key }), 100)
    const revoked = await server.command('keys', 'revoke', id, '--json')
    assert.deepEqual(JSON.parse(revoked.stdout), { id, revoked: true })
    const refused = await waitFor(
      'the revoked key to be refused',
      async () => {
        const answer = await server.ask('GET', '/api/v1/credits', { key })
        return answer.status === 200 ? undefined : answer
      },
      // Less than the five seconds for which a server believes what it knows of a key.
      { patienceMs: 2_000 },
    )
    assertRefused(refused, { status: 401, code: 'api_key_revoked', says: ['revoked'] })
    const create = await server.ask('POST', '/api/v1/generations', { key, body: CHEAP })
    assertRefused(create, { status: 401, code: 'api_key_revoked', says: ['revoked'] })
    assert.equal(await credits(server), 100)
  })

  test('refuses an expired key', async () => {
    const { id, key } = await makeKey('--expires-in-days', '1')
    assert.equal(await credits(server, { key }), 100)
    await server.withDatabase((pool) =>
      pool.query("update api_keys set expires_at = now() - interval '1 second' where id = $1", [
        id.slice('key_'.length),
      ]),
    )
    const refused = await waitFor('the expired key to be refused', async () => {
      const answer = await server.ask('GET', '/api/v1/credits', { key })
      return answer.status === 200 ? undefined : answer
    })
    assertRefused(refused, { status: 401, code: 'api_key_expired', says: ['expired'] })
  })

  for (const scope of [
    'generations:create',
    'generations:read',
    'credits:read',
    'models:read',
    'files:create',
    'files:read',
  ]) {
    test(`lets a key with the scope ${scope} do that and nothing else`, async () => {
      const { key } = await makeKey('--scopes', scope)
      for (const [method, path, needed] of ROUTES) {
        const answer = await server.ask(method, path, { key, ...(method === 'POST' ? { body: '{}' } : {}) })
        if (needed === scope) assert.ok([200, 400, 404, 415].includes(answer.status), answer.text)
        else assertRefused(answer, { status: 403, code: 'api_scope_denied', says: [needed, `it has ${scope}`] })
      }
    })
  }

  test('logged no failure of its own, and no key', () => {
    assertNoFaultLogged(server)
    assert.doesNotMatch(server.log(), /rly_(live|test)_[A-Za-z0-9_-]/)
  })
})
