/** What clients send beside the documented: other spellings, codings and methods, and what no parser can read. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { isJsonObject, type Json } from '../../src/canonical/json.ts'
import { testPicture } from '../support/good-files.ts'
import { type Answer, startServer, type TestServer } from '../support/server.ts'
import * as rivya from './rivya.ts'

const ORIGIN = 'https://app.example.com'

interface Create {
  readonly path: string
  /** A request that costs no rendering. */
  readonly body: Readonly<Record<string, Json>>
  /** Optional fields that a serializer writes as null. */
  readonly nulls: Readonly<Record<string, Json>>
  /** What is left of them: an object of nulls is an empty one. */
  readonly emptied?: Readonly<Record<string, Json>>
}

const CREATES: Readonly<Record<string, Create>> = {
  rivya: {
    path: '/api/v1/generations',
    body: rivya.CHEAP,
    nulls: { client_request_id: null, params: { duration: null, mode: null, referenceMediaItems: null } },
    emptied: { params: {} },
  },
  grokimagineapi: {
    path: '/grokimagineapi/v1/generate',
    body: { prompt: 'sandbox:fail' },
    nulls: { mode: null, images: null, ratio: null },
  },
  acedata: {
    path: '/acedata/grok/videos',
    body: { prompt: 'sandbox:fail', async: true },
    nulls: { image_url: null, reference_image_urls: null, duration: null, callback_url: null },
  },
  xai: {
    path: '/xai/v1/videos/generations',
    body: { prompt: 'sandbox:fail' },
    nulls: {
      duration: null,
      image: null,
      last_frame: null,
      output: { upload_url: null },
      keyframes: null,
      image_url: null,
    },
    emptied: { output: {} },
  },
  openai: {
    path: '/openai/v1/videos',
    body: { prompt: 'sandbox:fail' },
    nulls: { seconds: null, size: null, input_reference: null, user: null },
  },
}

describe('the edges of the wire', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_CORS_ORIGINS: ORIGIN } })
  })
  after(() => server.stop())

  for (const [id, { path: createPath, body, nulls, emptied }] of Object.entries(CREATES)) {
    describe(id, () => {
      const post = (
        sent: unknown,
        headers: Readonly<Record<string, string>> = {},
        path = createPath,
      ): Promise<Answer> => server.ask('POST', path, { body: sent, headers })

      test('takes null for an optional field as its absence, also under a repeated key', async () => {
        const key = { 'idempotency-key': `nulls-${id}` }
        const first = await post({ ...body, ...nulls }, key)
        assert.equal(first.status, 200, first.text)
        const again = await post({ ...body, ...emptied }, key)
        assert.equal(again.headers.get('idempotent-replayed'), 'true', again.text)
      })

      test('says that a required field is required when it is null', async () => {
        const answer = await post({ ...body, prompt: null })
        assert.equal(answer.status, 400, answer.text)
        assert.match(answer.text, /prompt/)
      })

      const encodings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, 'x-gzip': gzipSync } as const
      for (const [coding, encode] of Object.entries(encodings)) {
        test(`takes a body in ${coding}`, async () => {
          const answer = await post(encode(JSON.stringify(body)), { 'content-encoding': coding })
          assert.equal(answer.status, 200, answer.text)
        })
      }

      test('takes a body that was encoded twice, and refuses one that was more often', async () => {
        const twice = gzipSync(brotliCompressSync(JSON.stringify(body)))
        assert.equal((await post(twice, { 'content-encoding': 'br, gzip' })).status, 200)
        assert.equal((await post(gzipSync(twice), { 'content-encoding': 'br, gzip, gzip' })).status, 415)
      })

      test('refuses a coding that it does not know with 415 and those that it knows', async () => {
        for (const coding of ['compress', 'snappy', '__proto__', 'zstd-nonsense']) {
          const answer = await post(JSON.stringify(body), { 'content-encoding': coding })
          assert.equal(answer.status, 415, answer.text)
          assert.equal(answer.headers.get('accept-encoding'), 'gzip, deflate, br')
        }
      })

      test('refuses a body that is not in the coding that it names, or is cut off, or unpacks to too much', async () => {
        const gzip = { 'content-encoding': 'gzip' }
        assert.equal((await post(JSON.stringify(body), gzip)).status, 400)
        assert.equal((await post(gzipSync(JSON.stringify(body)).subarray(0, 30), gzip)).status, 400)
        const bomb = gzipSync(Buffer.concat([Buffer.from('{"prompt":"'), Buffer.alloc(80 * 1024 * 1024, 'x')]), {
          level: 1,
        })
        assert.equal((await post(bomb, gzip)).status, 413)
      })

      test('takes a path with a slash at its end, or with slashes twice', async () => {
        for (const path of [`${createPath}/`, createPath.replaceAll('/', '//')]) {
          const answer = await post(body, {}, path)
          assert.equal(answer.status, 200, `${path}: ${answer.text}`)
        }
      })

      test('says the right path to one that doubles, lacks or capitalizes a part', async () => {
        for (const path of [createPath.toUpperCase(), `${createPath.replace('/v1', '/v1/v1')}`]) {
          if (path === createPath) continue
          const answer = await post(body, {}, path)
          assert.equal(answer.status, 404, `${path}: ${answer.text}`)
          assert.match(answer.text, /The path is POST \//)
        }
      })

      test('answers the preflight of a page, and lets it read the answer', async () => {
        const preflight = await server.ask('OPTIONS', createPath, {
          key: null,
          headers: {
            origin: ORIGIN,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,content-type,idempotency-key,x-stainless-lang',
          },
        })
        assert.equal(preflight.status, 204, preflight.text)
        assert.equal(preflight.headers.get('access-control-allow-origin'), ORIGIN)
        assert.match(preflight.headers.get('access-control-allow-methods') ?? '', /POST/)
        assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization.*x-stainless-lang/)
        const answer = await post(body, { origin: ORIGIN })
        assert.equal(answer.headers.get('access-control-allow-origin'), ORIGIN)
        assert.match(answer.headers.get('access-control-expose-headers') ?? '', /x-request-id/)
        const refused = await server.ask('POST', createPath, { key: null, headers: { origin: ORIGIN } })
        assert.equal(refused.headers.get('access-control-allow-origin'), ORIGIN, 'a page can read why it was refused')
      })

      test('answers OPTIONS of another origin with the methods alone', async () => {
        const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
        const answer = await server.ask('OPTIONS', createPath, { key: null, headers })
        assert.equal(answer.status, 204)
        assert.match(answer.headers.get('allow') ?? '', /POST/)
        assert.equal(answer.headers.get('access-control-allow-origin'), null)
      })
    })
  }

  test('OpenAI takes a number of seconds, a user, and the names of the vendor’s models', async () => {
    const create = (body: unknown) => server.ask('POST', '/openai/v1/videos', { body })
    for (const model of ['sora-2', 'sora-2-pro', 'grok-imagine-video']) {
      const answer = await create({ prompt: 'sandbox:fail', model, seconds: 4, user: 'customer-7' })
      assert.equal(answer.status, 200, answer.text)
      assert.ok(isJsonObject(answer.body))
      assert.deepEqual([answer.body['model'], answer.body['seconds']], [model, '4'])
      const read = await server.ask('GET', `/openai/v1/videos/${answer.body['id']}`)
      assert.ok(isJsonObject(read.body) && read.body['model'] === model, read.text)
    }
    const listed = await server.ask('GET', '/openai/v1/models')
    for (const id of ['grok-imagine-video', 'grok-imagine-video-1.5', 'sora-2', 'sora-2-pro']) {
      assert.ok(listed.text.includes(`"${id}"`), listed.text)
      const one = await server.ask('GET', `/openai/v1/models/${id}`)
      assert.ok(isJsonObject(one.body) && one.body['id'] === id && one.body['object'] === 'model', one.text)
    }
    assert.equal((await server.ask('GET', '/openai/v1/models/sora-9')).status, 404)
    assert.equal((await server.ask('GET', '/openai/v1/models', { key: null })).status, 401)
  })

  test('OpenAI says that characters are not offered, whatever the method', async () => {
    for (const [method, path] of [
      ['POST', '/openai/v1/videos/characters'],
      ['GET', '/openai/v1/videos/characters/char_1'],
    ] as const) {
      const answer = await server.ask(method, path)
      assert.equal(answer.status, 404)
      assert.match(answer.text, /Characters are not offered/)
    }
  })

  test('a data URI with line breaks is a picture like any other', async () => {
    const png = (await testPicture().png().toBuffer()).toString('base64').replaceAll(/.{76}/g, '$&\n')
    const body = { prompt: 'sandbox:fail', duration: 2, image: { url: `data:image/png;base64,${png}` } }
    const answer = await server.ask('POST', '/xai/v1/videos/generations', { body })
    assert.equal(answer.status, 200, answer.text)
  })

  test('every answer forbids to guess its type, those of the parser included', async () => {
    for (const path of ['/healthz', '/api/v1/credits', '/nowhere', '/openai/openapi.json', '/media/med_0.mp4']) {
      const answer = await server.ask('GET', path)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
    }
  })

  const UNPARSED: readonly (readonly [name: string, request: string, status: number])[] = [
    ['a head that is too large', `GET /PATH HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a bad header', 'GET /PATH HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n', 400],
    ['no host', 'GET /PATH HTTP/1.1\r\n\r\n', 400],
    ['a chunk that is none', 'POST /PATH HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 400],
    ['two lengths', 'POST /PATH HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
    ['an expectation', 'POST /PATH HTTP/1.1\r\nhost: a\r\nexpect: miracles\r\ncontent-length: 0\r\n\r\n', 417],
    ['two hosts', 'GET /PATH HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400],
  ]
  for (const [name, request, status] of UNPARSED) {
    test(`${name} is answered in the form of the dialect, with a request id`, async () => {
      for (const [path, form] of [
        ['/openai/v1/videos', /"error":\{"message":"/],
        ['/v1/videos/x', /"code":"[^"]+","error":"/],
        ['/api/v1/generations', /"error":\{"code":"[^"]+","message":"[^"]+","requestId":"req_/],
      ] as const) {
        const text = await exchange(server, request.replace('/PATH', path))
        if (text === '') continue
        assert.ok(text.startsWith(`HTTP/1.1 ${status} `), text)
        assert.match(text, /x-request-id: req_[0-9a-f]{32}/)
        assert.match(text, /x-content-type-options: nosniff/)
        assert.match(text, form)
      }
    })
  }

  test('a failure that quotes a prompt has no control characters, for customers and on terminals', async () => {
    const controls = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Zl}\p{Zp}]/u
    for (const evil of [
      '\u001b[2J\u001b]0;pwned\u0007\u001b[31mOK',
      '\u009b31m',
      '\u202eevil',
      'a\u2028b',
      'x\u007f',
    ]) {
      const made = await rivya.create(server, { ...rivya.CHEAP, prompt: `sandbox:${evil}` })
      const ended = await rivya.waitForStatus(server, made.id, ['failed'])
      assert.doesNotMatch(ended.error?.message ?? '', controls)
      for (const command of [
        ['tasks', 'show', made.id],
        ['status', made.id],
      ]) {
        const { code, stdout } = await server.command(...command)
        assert.equal(code, 0)
        assert.doesNotMatch(stdout, controls, JSON.stringify(stdout))
      }
    }
  })

  test('a boundary within the quotation marks of another parameter is a bad request', async () => {
    for (const path of ['/openai/v1/videos', '/api/v1/files']) {
      const headers = { 'content-type': 'multipart/form-data; foo="a; boundary=abc;"' }
      const answer = await server.ask('POST', path, { headers, body: '--abc--' })
      assert.equal(answer.status, 400, answer.text)
    }
    rivya.assertNoFaultLogged(server)
  })
})

/** Sends bytes, and reads until the server ends the connection. */
async function exchange({ url }: TestServer, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
    // An answer to a request that was read whole keeps its connection.
    if (/^content-length: 0\r$|\}$/m.test(text)) socket.end()
  })
  socket.write(request)
  await once(socket, 'close')
  return text
}
