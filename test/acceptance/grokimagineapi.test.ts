/** The French page of grokimagineapi.com, request by request and field by field, and what it leaves open. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createKey } from '../../src/accounts/create-key.ts'
import { parseId } from '../../src/canonical/ids.ts'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { assertRefused, generate, statusOf, waitForEnd } from './grokimagineapi.ts'
import { download, readVideoFile } from './video-file.ts'

/** The cURL example of the page. */
const MINIMAL = { mode: 'fun', prompt: 'a beautiful landscape with mountains', ratio: '1:1' }
const SLOW = { prompt: 'sandbox:fail sandbox:slow=600' }

describe('grokimagineapi', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
  })
  after(() => server.stop())

  function account(credits = 100): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  async function creditsOf(key: string): Promise<number> {
    const answer = await server.ask('GET', '/rivya/api/v1/credits', { key })
    return JSON.parse(answer.text).current_credits
  }

  describe('the page', () => {
    test('creates with the example and answers status with every documented field', async () => {
      const { key } = await account()
      const created = await server.ask('POST', '/v1/generate', { key, body: MINIMAL })
      assert.equal(created.status, 200, created.text)
      const envelope = JSON.parse(created.text)
      assert.deepEqual(Object.keys(envelope), ['code', 'message', 'data'])
      assert.deepEqual(Object.keys(envelope.data), ['task_id'])
      const id: string = envelope.data.task_id

      const running = await statusOf(server, id, { key })
      assert.ok(['pending', 'processing'].includes(running.status), running.status)
      assert.deepEqual([running.consumed_credits, running.response, running.error_message], [0, [], null])
      assert.equal(await creditsOf(key), 60, '40 credits are held')

      const ended = await waitForEnd(server, id, { key })
      const { created_at, response, ...rest } = ended
      assert.deepEqual(rest, {
        consumed_credits: 40,
        status: 'completed',
        task_id: id,
        error_message: null,
        request: MINIMAL,
      })
      assert.deepEqual(Object.keys(ended), [
        'consumed_credits',
        'created_at',
        'status',
        'task_id',
        'error_message',
        'request',
        'response',
      ])
      assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
      assert.equal(await creditsOf(key), 60)

      assert.equal(response.length, 1)
      const file = await readVideoFile(await download(response[0] ?? ''))
      assert.deepEqual([file.width, file.height, file.durationSeconds], [480, 480, 6])
    })

    test('answers below /grokimagineapi as at the native path, and in the words of the other dialects', async () => {
      const { key } = await account()
      const id = await generate(server, { prompt: 'sandbox:fail' }, { key })
      const native = await waitForEnd(server, id, { key })
      const prefixed = await server.ask('GET', `/grokimagineapi/v1/status?task_id=${id}`, { key })
      assert.deepEqual(JSON.parse(prefixed.text).data, native)
      const rivya = await server.ask('GET', `/api/v1/generations/${id}`, { key })
      assert.equal(JSON.parse(rivya.text).reserved_credits, 40)
    })

    test('says exactly what the page says when the prompt is missing', async () => {
      const answer = await server.ask('POST', '/v1/generate', { body: { mode: 'fun' } })
      assert.equal(answer.status, 400)
      assert.deepEqual(JSON.parse(answer.text), {
        code: 400,
        message: 'Invalid request: The prompt parameter is required',
        error: 'INVALID_REQUEST',
      })
    })

    const failures: readonly (readonly [prompt: string, message: string])[] = [
      ['sandbox:fail', 'grok imagine build failed'],
      ['sandbox:moderated', 'Inappropriate content, please try another prompt.'],
      ['sandbox:expire', 'Network error, please try again later.'],
      ['sandbox:nonsense', 'File type not supported'],
    ]
    for (const [prompt, message] of failures) {
      test(`${prompt} fails with a documented message, and costs nothing`, async () => {
        const { key } = await account()
        const ended = await waitForEnd(server, await generate(server, { prompt }, { key }), { key })
        assert.deepEqual(
          [ended.status, ended.error_message, ended.consumed_credits, ended.response, ended.request],
          ['failed', message, 0, [], { prompt }],
        )
        assert.equal(await creditsOf(key), 100)
      })
    }
  })

  describe('bad input', () => {
    const bodies: readonly (readonly [name: string, body: unknown, message: string | RegExp])[] = [
      ['no body', undefined, 'Invalid request: The body parameter is required'],
      ['broken JSON', '{"prompt', /^Invalid request: The body is not valid JSON: .*[^.]$/],
      ['a list', [], 'Invalid request: The body parameter cannot be []; allowed: an object'],
      ['an empty prompt', { prompt: ' ' }, /^Invalid request: The prompt parameter is empty; allowed: 1 to 5000 char/],
      ['a prompt that is too long', { prompt: 'x'.repeat(5_001) }, /^Invalid request: The prompt parameter has 5001 /],
      ['a prompt of NUL', { prompt: 'a\0' }, /^Invalid request: The prompt parameter cannot be .*Unicode/],
      ['a number as prompt', { prompt: 7 }, 'Invalid request: The prompt parameter cannot be 7; allowed: a text'],
      [
        'an unknown mode',
        { ...MINIMAL, mode: 'wild' },
        'Invalid request: The mode parameter cannot be "wild"; allowed: one of fun, normal, spicy',
      ],
      ['spicy without leave', { ...MINIMAL, mode: 'spicy' }, /The mode parameter cannot be "spicy": this account/],
      [
        'a ratio of another dialect',
        { ...MINIMAL, ratio: '4:3' },
        'Invalid request: The ratio parameter cannot be "4:3"; allowed: one of 1:1, 16:9, 9:16, 2:3, 3:2',
      ],
      [
        'an unknown key',
        { ...MINIMAL, duration: 6 },
        'Invalid request: The duration parameter cannot be used: the key is unknown; allowed keys: mode, prompt, images, ratio',
      ],
      [
        'images of another type',
        { ...MINIMAL, images: 7 },
        /The images parameter cannot be 7; allowed: a URL or a list/,
      ],
    ]
    for (const [name, body, message] of bodies) {
      test(`${name} is refused`, async () => {
        const answer = await server.ask('POST', '/v1/generate', { body })
        assertRefused(answer, { status: 400, error: 'INVALID_REQUEST', message })
      })
    }

    const reads: readonly (readonly [query: string, status: number, error: string, message: string | RegExp])[] = [
      ['', 400, 'INVALID_REQUEST', 'Invalid request: The task_id parameter is required'],
      ['?task_id=a&task_id=b', 400, 'INVALID_REQUEST', /The task_id parameter cannot be \["a","b"\]/],
      ['?task_id=a&verbose=1', 400, 'INVALID_REQUEST', /The verbose parameter cannot be used: the key is unknown/],
      ['?task_id=task_123456789', 404, 'NOT_FOUND', 'There is no such generation.'],
      ['?task_id=task_00000000000000000000000000000000', 404, 'NOT_FOUND', 'There is no such generation.'],
    ]
    for (const [query, status, error, message] of reads) {
      test(`GET /v1/status${query} is refused`, async () => {
        assertRefused(await server.ask('GET', `/v1/status${query}`), { status, error, message })
      })
    }

    test('another method, and a body that is not JSON, are refused in the same form', async () => {
      assertRefused(await server.ask('DELETE', '/v1/status'), {
        status: 405,
        error: 'INVALID_REQUEST',
        message: /^Invalid request: DELETE is not a method of this path; allowed: GET/,
      })
      const headers = { 'content-type': 'text/plain' }
      assertRefused(await server.ask('POST', '/v1/generate', { body: 'x', headers }), {
        status: 415,
        error: 'INVALID_REQUEST',
        message: /must be JSON/,
      })
      assertRefused(await server.ask('GET', '/grokimagineapi/v2/none'), {
        status: 404,
        error: 'NOT_FOUND',
        message: /There is no GET/,
      })
    })
  })

  describe('whose a task is', () => {
    test('nobody without a key creates or reads', async () => {
      for (const [method, path] of [
        ['POST', '/v1/generate'],
        ['GET', '/v1/status?task_id=task_00000000000000000000000000000000'],
      ] as const) {
        const message = /API key/
        const key = `rly_live_${'a'.repeat(32)}`
        assertRefused(await server.ask(method, path, { key: null }), { status: 401, error: 'UNAUTHORIZED', message })
        assertRefused(await server.ask(method, path, { key }), { status: 401, error: 'UNAUTHORIZED', message })
      }
    })

    test('another account’s is not found', async () => {
      const [owner, stranger] = [await account(), await account()]
      const id = await generate(server, SLOW, { key: owner.key })
      const notFound = { status: 404, error: 'NOT_FOUND', message: 'There is no such generation.' }
      assertRefused(await server.ask('GET', `/v1/status?task_id=${id}`, { key: stranger.key }), notFound)
      assertRefused(await server.ask('GET', `/v1/status?task_id=${id}`, { key: owner.testKey }), notFound)
    })

    test('a key does only what its scopes say', async () => {
      const { accountId } = await account()
      const key = await server.withDatabase(async (pool) => {
        const id = parseId('acct', accountId)
        assert.ok(id)
        const wanted = { account: id, mode: 'live', name: 'reads', expiresInDays: undefined } as const
        return (await createKey(pool, { ...wanted, scopes: ['generations:read'] })).secret
      })
      const message = /lacks the scope generations:create/
      const refused = await server.ask('POST', '/v1/generate', { key, body: MINIMAL })
      assertRefused(refused, { status: 403, error: 'FORBIDDEN', message })
      const read = await server.ask('GET', '/v1/status?task_id=x', { key })
      assert.equal(read.status, 404)
    })
  })

  test('refuses what the balance does not cover, and still reads at zero', async () => {
    const { key } = await account(40)
    const id = await generate(server, SLOW, { key })
    assertRefused(await server.ask('POST', '/v1/generate', { key, body: MINIMAL }), {
      status: 402,
      error: 'INSUFFICIENT_CREDITS',
      message: 'This generation costs 40 credits; 0 are available.',
    })
    assert.equal((await statusOf(server, id, { key })).task_id, id)
  })

  test('an Idempotency-Key makes one task of two creates, and refuses another body', async () => {
    const { key } = await account()
    const headers = { 'idempotency-key': 'once' }
    const first = await server.ask('POST', '/v1/generate', { key, headers, body: SLOW })
    const again = await server.ask('POST', '/v1/generate', { key, headers, body: SLOW })
    assert.equal(again.text, first.text)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.equal(await creditsOf(key), 60)
    assertRefused(await server.ask('POST', '/v1/generate', { key, headers, body: MINIMAL }), {
      status: 409,
      error: 'CONFLICT',
      message: /Idempotency-Key/,
    })
  })

  test('Prefer: wait answers at the next change', async () => {
    const { key } = await account()
    const id = await generate(server, { prompt: 'sandbox:fail' }, { key })
    const seen = [await statusOf(server, id, { key })]
    const headers = { prefer: 'wait=20' }
    while (seen.at(-1)?.status !== 'failed' && seen.length < 20) seen.push(await statusOf(server, id, { key, headers }))
    assert.equal(seen.at(-1)?.status, 'failed', JSON.stringify(seen))
  })

  test('reads a task of another dialect in its own words', async () => {
    const { key } = await account()
    const body = { model: 'grok-imagine-video', prompt: 'sandbox:fail', params: { mode: 'fun', aspect_ratio: '9:16' } }
    const made = await server.ask('POST', '/api/v1/generations', { key, body })
    const ended = await waitForEnd(server, JSON.parse(made.text).id, { key })
    assert.deepEqual(ended.request, { mode: 'fun', prompt: 'sandbox:fail', ratio: '9:16' })
  })

  test('logged no failure of its own for any of it', () => {
    const faults = server
      .log()
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(faults, [])
  })
})
