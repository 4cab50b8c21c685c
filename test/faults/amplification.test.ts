/**
 * What a request turns into: its row, its answer, and what reading it again costs, beside the bytes that came in. Each body
 * here is of a kind that some form of storing, reading or quoting would let grow.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { type Answer, startServer, type TestAccount, type TestServer } from '../support/server.ts'

/** Of a row, and of an answer: ids, times, our own words. */
const OVERHEAD_BYTES = 4_096

/** A shown body is in the row twice: as it was sent, and in the request for providers; a row as a text escapes once more. */
const FACTOR = 3

const FREE = 'sandbox:fail a quiet sea'
/** Of numbers, lists and keys, as many as one body may have. */
const MANY = 950

const fill = (text: string, count: number) => Array.from({ length: count }, () => text).join(',')
const nested = (levels: number) => `${'['.repeat(levels)}${'1e308'}${']'.repeat(levels)}`
const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => `"${String(index).padStart(100, 'k')}":1e308`).join(',')
/** Base64 of what no compression makes smaller. */
const random = (characters: number) => randomBytes(characters).toString('base64').slice(0, characters)

/** What stands beside the prompt in a body of xAI's, which lets undocumented keys pass: at the top, and in its objects. */
const UNDOCUMENTED: readonly (readonly [name: string, members: string])[] = [
  ['large numbers', `"zz":[${fill('1e308', MANY)}]`],
  ['small numbers', `"zz":[${fill('1e-300', MANY)}]`],
  ['numbers of many digits', `"zz":[${fill('1e20', MANY)}]`],
  ['nested lists', `"zz":[${fill(nested(27), 33)}]`],
  ['long keys', `"zz":{${keys(950)}}`],
  ['escaped control characters', `"zz":"${'\\u0001'.repeat(40_000)}"`],
  ['escaped letters', `"zz":"${'\\u00e9'.repeat(40_000)}"`],
  ['characters beyond the basic plane', `"zz":"${'\u{1F600}'.repeat(50_000)}"`],
  ['a long text', `"metadata":{"note":"${random(250_000)}"}`],
  ['an object with more in it', `"output":{"zz":[${fill('1e308', MANY)}]}`],
]

describe('what a request turns into', () => {
  let server: TestServer
  let account: TestAccount
  before(async () => {
    server = await startServer()
    account = await server.createAccount({ credits: 10_000 })
  })
  after(() => server.stop())

  const post = (path: string, body: string) => server.ask('POST', path, { key: account.key, body })

  /** Bytes of a task's row as text: what is read of it, and what an export has of it. */
  async function rowBytes(id: string): Promise<number> {
    return await server.withDatabase(async (pool) => {
      const { rows } = await pool.query<{ bytes: number }>(
        'select octet_length(t::text) as bytes from tasks t where id = $1',
        [id],
      )
      const [row] = rows
      assert.ok(row)
      return row.bytes
    })
  }

  function assertSmall(answer: Answer): void {
    assert.ok(answer.text.length <= OVERHEAD_BYTES, `an answer of ${answer.text.length} bytes`)
  }

  for (const [name, members] of UNDOCUMENTED) {
    test(`xAI, ${name}: neither row nor answer keeps what is not documented`, async () => {
      const body = `{"prompt":"${FREE}",${members}}`
      const answer = await post('/v1/videos/generations', body)
      assert.equal(answer.status, 200, answer.text)
      assertSmall(answer)
      const bytes = await rowBytes(idOf(answer))
      assert.ok(bytes <= OVERHEAD_BYTES, `${Buffer.byteLength(body)} bytes came, ${bytes} are kept`)
    })
  }

  test('the same request is still told from another by what is not kept', async () => {
    const ask = (zz: string) =>
      server.ask('POST', '/v1/videos/generations', {
        key: account.key,
        headers: { 'idempotency-key': 'kept' },
        body: `{"prompt":"${FREE}","zz":${zz}}`,
      })
    const first = await ask('[1e308]')
    assert.equal((await ask('[1e308]')).text, first.text)
    assert.equal((await ask('[1e307]')).status, 400)
  })

  const TEXT = random(200_000)
  const TOO_LONG: readonly (readonly [field: string, path: string, body: object])[] = [
    ['user', '/v1/videos/generations', { prompt: FREE, user: TEXT }],
    ['client_request_id', '/api/v1/generations', { ...rivya({}), client_request_id: TEXT }],
    ...['name', 'mimeType', 'durationToken'].map((field): [string, string, object] => [
      field,
      '/api/v1/generations',
      rivya({ referenceMediaItems: [{ url: 'https://example.com/a.png', kind: 'image', [field]: TEXT }] }),
    ]),
  ]
  for (const [field, path, body] of TOO_LONG) {
    test(`${field} of 200 KB is refused with the most that it may have`, async () => {
      const answer = await post(path, JSON.stringify(body))
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.text, new RegExp(`${field} cannot be .*at most \\d+ characters`))
      assertSmall(answer)
    })
  }

  test('AceData shows a body as it was sent, and no row or answer is much larger than it', async () => {
    const prompt = `${FREE} ${'\\u0001'.repeat(4_000)}`
    const body = `{"prompt":"${prompt}","duration":6.000,"async":true}`
    const { task_id } = z.looseObject({ task_id: z.string() }).parse((await post('/grok/videos', body)).body)
    assert.ok((await rowBytes(task_id)) <= FACTOR * body.length + OVERHEAD_BYTES)
    const read = await post('/grok/tasks', JSON.stringify({ id: task_id }))
    assert.ok(read.text.length <= FACTOR * body.length + OVERHEAD_BYTES)
    const { request } = z.looseObject({ request: z.json() }).parse(read.body)
    assert.deepEqual(request, JSON.parse(body))
  })

  test('a batch reads equal ids once, however they are written', async () => {
    const { task_id } = z
      .looseObject({ task_id: z.string() })
      .parse((await post('/grok/videos', JSON.stringify({ prompt: FREE, async: true }))).body)
    const ids = [task_id, task_id.toUpperCase(), `task_${task_id.replaceAll('-', '')}`]
    const asked = Array.from({ length: 99 }, (_, index) => ids[index % ids.length])
    const answer = await post('/grok/tasks', JSON.stringify({ action: 'retrieve_batch', ids: asked }))
    const { count } = z.looseObject({ count: z.int() }).parse(answer.body)
    assert.equal(count, 1)
    assertSmall(answer)
  })

  test('no list selects what it does not show', async () => {
    const { key } = await server.createAccount({ credits: 10_000 })
    const prompt = `${FREE} ${'x'.repeat(4_000)}`
    for (let made = 0; made < 5; made++) {
      const body = JSON.stringify({ prompt, async: true })
      assert.equal((await server.ask('POST', '/grok/videos', { key, body })).status, 200)
    }
    const page = await server.ask('GET', '/api/v1/generations?limit=100', { key })
    assert.ok(page.text.length < 5 * 1_000, page.text)
    assert.doesNotMatch(page.text, /xxxx/)
  })
})

function rivya(params: object): object {
  return { model: 'grok-imagine-video', prompt: FREE, params }
}

/** The task's id in an answer of xAI's. */
function idOf({ body }: Answer): string {
  return z.looseObject({ request_id: z.string() }).parse(body).request_id
}
