/**
 * Whatever is wrong with a request, the answer says which field, what was sent and what is allowed; nothing is reserved
 * and nothing of our inside is shown.
 */
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { type Answer, type Ask, startServer, type TestAccount, type TestServer } from '../support/server.ts'
import {
  assertNoFaultLogged,
  assertRefused,
  CHEAP,
  cancel,
  create,
  credits,
  type ExpectedRefusal,
  pageOf,
} from './rivya.ts'

const GENERATIONS = '/api/v1/generations'
const START_CREDITS = 1_000

interface BadCase {
  readonly name: string
  readonly ask: Ask
  readonly expected: ExpectedRefusal
}

function invalid(name: string, body: unknown, ...says: (string | RegExp)[]): BadCase {
  return { name, ask: { body }, expected: { status: 400, code: 'validation_failed', says } }
}

function invalidParams(name: string, params: unknown, ...says: (string | RegExp)[]): BadCase {
  return invalid(name, { ...CHEAP, params }, ...says)
}

/** A body written by hand, for what `JSON.stringify` would not write. */
function raw(text: string): string {
  return text
}

const DURATION = 'a number from 6 to 30 in steps of 1'

const IMAGE = { kind: 'image', url: 'https://video.example.com/a.png' }
const ITEM = 'params.referenceMediaItems.0'

const REFERENCES: readonly (readonly [name: string, item: unknown, ...says: string[]])[] = [
  ['that is a text', 'https://video.example.com/a.png', ITEM, 'an object'],
  ['without a url', { kind: 'image' }, `${ITEM}.url is required`, 'a text'],
  ['with an empty url', { ...IMAGE, url: '' }, `${ITEM}.url`, 'at least 1 characters'],
  ['without a kind', { url: IMAGE.url }, `${ITEM}.kind is required`, 'one of image, video, audio'],
  ['of an unknown kind', { ...IMAGE, kind: 'text' }, `${ITEM}.kind`, '"text"', 'one of image, video, audio'],
  ['with an unknown key', { ...IMAGE, role: 'x' }, `${ITEM}.role`, 'unknown'],
  ['with a duration in a text', { ...IMAGE, durationSeconds: '1' }, `${ITEM}.durationSeconds`, '"1"', 'a number'],
  ['that is a video', { ...IMAGE, kind: 'video' }, `${ITEM}.url`, 'declared as video', 'image (image/jpeg'],
  ['that is audio', { ...IMAGE, kind: 'audio' }, `${ITEM}.url`, 'declared as audio', 'image (image/jpeg'],
  ['by plain http', { ...IMAGE, url: 'http://video.example.com/a.png' }, `${ITEM}.url`, 'allowed'],
  ['in the local network', { ...IMAGE, url: 'https://127.0.0.1/a.png' }, `${ITEM}.url`, 'allowed'],
  ['by a word', { ...IMAGE, url: 'a.png' }, `${ITEM}.url`, 'allowed'],
  ['in a broken data URI', { ...IMAGE, url: 'data:image/png;base64,????' }, `${ITEM}.url`, 'allowed'],
]

const BODIES: readonly BadCase[] = [
  invalid('malformed JSON', raw('{"model": "grok-imagine-video", '), 'not valid JSON'),
  invalid('an empty body', raw(''), 'body', 'an object'),
  invalid('a body that is null', raw('null'), 'body', 'null', 'an object'),
  invalid('a body that is a list', [CHEAP], 'body', 'an object'),
  invalid('a body that is a text', raw('"hello"'), 'body', '"hello"', 'an object'),
  invalid('two JSON values', raw(`${JSON.stringify(CHEAP)}{}`), 'not valid JSON'),
  invalid('no model', { prompt: 'sea' }, 'model is required', 'a text'),
  invalid('a model that is a number', { ...CHEAP, model: 7 }, 'model', '7', 'a text'),
  invalid('an unknown model', { ...CHEAP, model: 'sora' }, 'model', '"sora"', 'one of grok-imagine-video'),
  invalid('a model named like an inherited property', { ...CHEAP, model: 'constructor' }, '"constructor"', 'one of'),
  invalid(
    'several wrong fields',
    { model: 7, prompt: 8, x: 9 },
    'model cannot be 7',
    'prompt cannot be 8',
    'x cannot be used',
  ),
  invalidParams('several wrong values', { duration: 5, mode: 'x', y: 1 }, 'duration', 'mode', 'y cannot be used'),
  invalid('no prompt', { model: CHEAP.model }, 'prompt is required', 'a text'),
  invalid('a prompt that is a list', { ...CHEAP, prompt: ['sea'] }, 'prompt', '["sea"]', 'a text'),
  invalid('a prompt that is null', { ...CHEAP, prompt: null }, 'prompt is required', 'a text'),
  invalid('an empty prompt', { ...CHEAP, prompt: '' }, 'prompt is empty', '1 to 5000 characters'),
  invalid('a prompt of white space', { ...CHEAP, prompt: ' \n\t\u3000' }, 'prompt is empty', '1 to 5000 characters'),
  invalid('a prompt that shows nothing', { ...CHEAP, prompt: '\u200b\u2060\u0301\u3164 ' }, 'prompt is empty'),
  invalid('a prompt of 5,001 emoji', { ...CHEAP, prompt: '🌊'.repeat(5_001) }, 'prompt has 5001', '1 to 5000'),
  invalid('a prompt with NUL', { ...CHEAP, prompt: 'a\0b' }, 'prompt', 'without NUL'),
  invalid(
    'a prompt with half a surrogate pair',
    raw('{"model":"grok-imagine-video","prompt":"a\\ud800b"}'),
    'prompt',
    'valid Unicode',
  ),
  invalid('params that are a list', { ...CHEAP, params: [] }, 'params', '[]', 'an object'),
  invalid(
    'a client_request_id of 129 characters',
    { ...CHEAP, client_request_id: 'x'.repeat(129) },
    'client_request_id',
    'at most 128',
  ),
  invalid(
    'a client_request_id that is a number',
    { ...CHEAP, client_request_id: 7 },
    'client_request_id',
    '7',
    'a text',
  ),
  invalid('a client_request_id with NUL', { ...CHEAP, client_request_id: '\0' }, 'client_request_id', 'without NUL'),
  invalid('an unknown key at the top', { ...CHEAP, colour: 'red' }, 'colour', 'unknown', 'client_request_id'),
  invalid('files at the top', { ...CHEAP, files: [] }, 'files', 'unknown', 'client_request_id'),
  invalid('a parameter at the top', { ...CHEAP, duration: 6 }, 'duration', 'unknown', 'params'),
  invalidParams(
    'an unknown parameter',
    { fps: 60 },
    'params.fps',
    'unknown',
    'allowed keys: mode, duration, resolution, aspect_ratio',
  ),
  invalidParams('a parameter in another casing', { aspectRatio: '2:3' }, 'params.aspectRatio', 'allowed keys:'),
  ...REFERENCES.map(([name, item, ...says]) =>
    invalidParams(`a reference ${name}`, { referenceMediaItems: [item] }, ...says),
  ),
  invalidParams('references that are no list', { referenceMediaItems: {} }, 'params.referenceMediaItems', 'a list'),
  invalidParams(
    'more references than the model takes',
    { referenceMediaItems: [IMAGE, IMAGE] },
    'params.referenceMediaItems cannot be used',
    'at most 1 file.',
  ),
  invalidParams('spicy with a reference', { mode: 'spicy', referenceMediaItems: [IMAGE] }, 'params.mode', '"spicy"'),
  invalidParams('a duration below the range', { duration: 5 }, 'params.duration', '5', DURATION),
  invalidParams('a duration above the range', { duration: 31 }, 'params.duration', '31', DURATION),
  invalidParams('a duration off the step', { duration: 6.5 }, 'params.duration', '6.5', DURATION),
  invalidParams('a duration next to a whole number', { duration: 6.0000000001 }, 'params.duration', '6.00', DURATION),
  invalidParams('a negative duration', { duration: -6 }, 'params.duration', '-6', DURATION),
  invalidParams('a duration in a text', { duration: '6' }, 'params.duration', '"6"', DURATION),
  invalidParams('a duration that is true', { duration: true }, 'params.duration', 'true', DURATION),
  invalidParams('a duration that is a list', { duration: [6] }, 'params.duration', '[6]', DURATION),
  invalid(
    'a duration too large for a number',
    raw(`{"model":"grok-imagine-video","prompt":"x","params":{"duration":1e999}}`),
    'duration',
    /too large/,
  ),
  invalidParams(
    'a resolution that is not offered',
    { resolution: '1080p' },
    'params.resolution',
    '"1080p"',
    'one of 480p, 720p',
  ),
  invalidParams('a resolution that is a number', { resolution: 480 }, 'params.resolution', '480', 'one of 480p, 720p'),
  invalidParams('a resolution in capitals', { resolution: '480P' }, 'params.resolution', '"480P"', 'one of 480p, 720p'),
  invalidParams(
    'a ratio that is not offered',
    { aspect_ratio: '4:3' },
    'params.aspect_ratio',
    '"4:3"',
    'one of 1:1, 16:9, 9:16, 2:3, 3:2',
  ),
  invalidParams('a mode that is not offered', { mode: 'wild' }, 'params.mode', '"wild"', 'one of fun, normal, spicy'),
  invalidParams('spicy without permission', { mode: 'spicy' }, 'params.mode', '"spicy"', 'not allowed'),
  invalidParams('a parameter named like an inherited property', { toString: 1 }, 'params.toString', 'allowed keys:'),
  invalid(
    'the key "__proto__" at the top',
    raw(`{"__proto__":{"prompt":"x"},"model":"grok-imagine-video","prompt":"x"}`),
    '__proto__',
  ),
  invalid(
    'the key "__proto__" in params',
    raw(`{"model":"grok-imagine-video","prompt":"x","params":{"__proto__":{"duration":7}}}`),
    '__proto__',
  ),
  invalid(
    'the key "__proto__", escaped',
    raw(`{"model":"grok-imagine-video","prompt":"x","params":{"\\u005f_proto__":{"duration":7}}}`),
    '__proto__',
  ),
  invalid(
    'deeply nested lists',
    raw(`{"model":"grok-imagine-video","prompt":"x","params":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
    /nested/,
  ),
  invalid(
    'deeply nested objects',
    raw(`{"model":"grok-imagine-video","prompt":"x","params":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`),
    /nested/,
  ),
  invalid('brackets that never close', raw('['.repeat(100_000)), 'body'),
  invalid('a key of 100,000 characters', { ...CHEAP, ['k'.repeat(100_000)]: 1 }, 'key', '100 characters'),
  invalidParams('a parameter key of 100,000 characters', { ['k'.repeat(100_000)]: 1 }, 'key', '100 characters'),
  invalidParams('a value of 100,000 characters', { mode: 'm'.repeat(100_000) }, 'params.mode', 'mmm…', 'one of'),
  {
    name: 'bytes that are not UTF-8',
    ask: {
      body: Buffer.concat([
        Buffer.from('{"model":"grok-imagine-video","prompt":"'),
        Buffer.of(0xc3, 0x28),
        Buffer.from('"}'),
      ]),
    },
    expected: { status: 400, code: 'validation_failed', says: ['UTF-8'] },
  },
  {
    name: 'a body over the limit',
    ask: { body: { ...CHEAP, prompt: 'x'.repeat(33_554_432) } },
    expected: { status: 413, code: 'validation_failed', says: ['too large', '33554432 bytes'] },
  },
  {
    name: 'a body of a million values',
    ask: { body: { ...CHEAP, prompt: Array(1_000_000).fill(1) } },
    expected: { status: 413, code: 'validation_failed', says: ['262144 bytes beside pictures'] },
  },
  {
    name: 'a body of a hundred thousand values',
    ask: { body: { ...CHEAP, prompt: Array(100_000).fill(1) } },
    expected: { status: 400, code: 'validation_failed', says: ['1000 values'] },
  },
  ...['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'].map(
    (type): BadCase => ({
      name: `the content type ${type}`,
      ask: { body: JSON.stringify(CHEAP), headers: { 'content-type': type } },
      expected: { status: 415, code: 'validation_failed', says: ['Content-Type: application/json'] },
    }),
  ),
  ...[
    ['an empty Idempotency-Key', ''],
    ['an Idempotency-Key of 256 characters', 'k'.repeat(256)],
    ['an Idempotency-Key with a space', 'a b'],
    ['an Idempotency-Key beyond ASCII', 'cl\u00e9'],
  ].map(
    ([name = '', key = '']): BadCase => ({
      name,
      ask: { body: CHEAP, headers: { 'idempotency-key': key } },
      expected: {
        status: 400,
        code: 'validation_failed',
        says: ['Idempotency-Key', '1 to 255 printable ASCII characters without spaces'],
      },
    }),
  ),
]

const QUERIES: readonly (readonly [query: string, ...says: string[]])[] = [
  ['limit=0', 'limit', '"0"', 'a whole number from 1 to 100'],
  ['limit=101', 'limit', '"101"', 'a whole number from 1 to 100'],
  ['limit=abc', 'limit', '"abc"', 'a whole number from 1 to 100'],
  ['limit=', 'limit', '""', 'a whole number from 1 to 100'],
  ['limit=1e1', 'limit', '"1e1"', 'a whole number from 1 to 100'],
  ['limit=-1', 'limit', '"-1"', 'a whole number from 1 to 100'],
  ['limit=1&limit=2', 'limit', '["1","2"]'],
  ['cursor=abc', 'cursor', '"abc"', 'a next_cursor of this list'],
  ['cursor=task_zz', 'cursor', '"task_zz"', 'a next_cursor of this list'],
  ['status=done', 'status', '"done"', 'one of queued, processing, succeeded, failed, canceled'],
  ['page=2', 'page', 'unknown', 'limit, cursor, status'],
]

const IDS = [
  'task_00000000000000000000000000000000',
  'task_0',
  'task_0000000000000000000000000000000G',
  'TASK_00000000000000000000000000000000',
  '00000000-0000-0000-0000-000000000000',
  'file_00000000000000000000000000000000',
  "task_'; drop table tasks; --",
  '%00',
  '..%2F..%2Fetc%2Fpasswd',
  'x'.repeat(150),
  'x'.repeat(5_000),
]

describe('bad input', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ credits: START_CREDITS, env: { REELAY_RENDER_CONCURRENCY: '4' } })
  })
  after(() => server.stop())

  /** Whatever happened, no credit is held and no task was made. */
  async function assertNothingReserved(): Promise<void> {
    assert.equal(await credits(server), START_CREDITS)
    assert.deepEqual(pageOf(await server.ask('GET', GENERATIONS)).data, [])
  }

  for (const { name, ask, expected } of BODIES) {
    test(`refuses ${name}`, async () => {
      assertRefused(await server.ask('POST', GENERATIONS, ask), expected)
      await assertNothingReserved()
    })
  }

  test('refuses a chunked body over the limit, without waiting for its end', async () => {
    const answer = await sendUnended(server, 'x'.repeat(32 * 1024 * 1024 + 1))
    assert.equal(answer.status, 413, answer.text)
    assert.match(answer.text, /validation_failed/)
    await assertNothingReserved()
  })

  for (const [query, ...says] of QUERIES) {
    test(`refuses to list with ${query}`, async () => {
      const answer = await server.ask('GET', `${GENERATIONS}?${query}`)
      assertRefused(answer, { status: 400, code: 'validation_failed', says })
    })
  }

  for (const id of IDS) {
    test(`knows no generation ${id.slice(0, 40)}`, async () => {
      const expected = { status: 404, code: 'not_found', says: [] }
      assertRefused(await server.ask('GET', `${GENERATIONS}/${id}`), expected)
      assertRefused(await server.ask('POST', `${GENERATIONS}/${id}/cancel`), expected)
    })
  }

  test('answers a path that is no valid URL in the dialect’s words', async () => {
    assertRefused(await server.ask('GET', `${GENERATIONS}/%ff`), { status: 404, code: 'not_found', says: ['URL'] })
  })

  for (const path of ['/api/v1/nope', '/rivya/api/v1/nope', '/rivya/nope', '/api/v1/webhooks', '/nope']) {
    test(`knows no path ${path}, whatever is sent to it`, async () => {
      const expected = { status: 404, code: 'not_found', says: [path] }
      assertRefused(await server.ask('GET', path), expected)
      assertRefused(await server.ask('POST', path, { body: CHEAP }), expected)
      assertRefused(await server.ask('POST', path, { body: '{"broken' }), expected)
      assertRefused(
        await server.ask('POST', path, { body: 'a=b', headers: { 'content-type': 'text/plain' } }),
        expected,
      )
    })
  }

  const METHODS: readonly (readonly [method: string, path: string, allow: string])[] = [
    ['DELETE', GENERATIONS, 'POST, GET'],
    ['PUT', GENERATIONS, 'POST, GET'],
    ['POST', '/api/v1/models', 'GET'],
    ['POST', '/api/v1/credits', 'GET'],
    ['DELETE', `${GENERATIONS}/task_00000000000000000000000000000000`, 'GET'],
    ['GET', `${GENERATIONS}/task_00000000000000000000000000000000/cancel`, 'POST'],
    ['PATCH', `/rivya${GENERATIONS}`, 'POST, GET'],
  ]
  for (const [method, path, allow] of METHODS) {
    test(`refuses ${method} ${path} and says which methods there are`, async () => {
      const expected = { status: 405, code: 'not_found', says: [method, allow] }
      const answers = [
        await server.ask(method, path),
        ...(method === 'GET' ? [] : [await server.ask(method, path, { body: '{"broken' })]),
      ]
      for (const answer of answers) {
        assertRefused(answer, expected)
        assert.equal(answer.headers.get('allow'), allow)
      }
    })
  }

  test('repeats no word of a broken body', async () => {
    const answer = await server.ask('POST', GENERATIONS, { body: '{"prompt": "my secret plan", oops' })
    assertRefused(answer, { status: 400, code: 'validation_failed', says: [] })
    assert.doesNotMatch(answer.text, /secret/)
  })

  describe('what is at the edge and good', () => {
    const good: readonly (readonly [name: string, body: unknown])[] = [
      ['a prompt of 5,000 emoji', { ...CHEAP, prompt: '🌊'.repeat(5_000) }],
      ['a prompt with a quotation of "__proto__"', { ...CHEAP, prompt: '__proto__', client_request_id: '__proto__' }],
      ['a client_request_id of 128 characters', { ...CHEAP, client_request_id: 'x'.repeat(128) }],
      ['the longest duration', { ...CHEAP, params: { duration: 30 } }],
      [
        'a duration written with a fraction of zero',
        `{"model":"grok-imagine-video","prompt":"x","params":{"duration":6.0}}`,
      ],
      ['empty params', { ...CHEAP, params: {} }],
      ['a byte order of keys of its own', { params: { duration: 6 }, prompt: 'sandbox:fail', model: CHEAP.model }],
    ]
    let account: TestAccount
    before(async () => {
      account = await server.createAccount({ credits: 1_000, spicyAllowed: true, plan: 'free' })
    })
    for (const [name, body] of good) {
      test(`takes ${name}`, async () => {
        const { id } = await create(server, body, { key: account.key })
        await settle(account, id)
      })
    }

    test('takes spicy from an account that was allowed it', async () => {
      const { id } = await create(server, { ...CHEAP, params: { mode: 'spicy' } }, { key: account.key })
      await settle(account, id)
    })

    test('takes a JSON content type with a charset', async () => {
      const { id } = await create(server, CHEAP, {
        key: account.key,
        headers: { 'content-type': 'application/json; charset=utf-8' },
      })
      await settle(account, id)
    })

    /** Ends the task if it has not ended by itself. */
    async function settle({ key }: TestAccount, id: string): Promise<void> {
      const answer = await server.ask('POST', `${GENERATIONS}/${id}/cancel`, { key })
      assert.ok([200, 409].includes(answer.status), answer.text)
    }
  })

  test('cancels with a JSON content type and no body, as many clients send it', async () => {
    const account = await server.createAccount({ credits: 10 })
    const { id } = await create(server, { ...CHEAP, prompt: 'sandbox:slow=600' }, { key: account.key })
    const canceled = await cancel(server, id, { key: account.key, headers: { 'content-type': 'application/json' } })
    assert.equal(canceled.status, 'canceled')
  })

  test('logged no failure of its own for any of it', () => {
    assertNoFaultLogged(server)
  })
})

/** Sends a body without a stated length, as far as `text`, and waits for the answer with the end still owed. */
function sendUnended(server: TestServer, text: string): Promise<Pick<Answer, 'status' | 'text'>> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' }
    const sending = httpRequest(`${server.url}${GENERATIONS}`, { method: 'POST', headers }, async (response) => {
      let answer = ''
      for await (const part of response.setEncoding('utf8')) answer += part
      resolve({ status: response.statusCode ?? 0, text: answer })
      sending.destroy()
    })
    sending.on('error', reject)
    sending.write(text)
  })
}
