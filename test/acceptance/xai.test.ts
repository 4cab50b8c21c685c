/** The xAI dialect over HTTP, request by request and field by field, by a customer who knows the vendor's pages alone. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { startReceiver } from '../support/receiver.ts'
import { type Ask, startServer, type TestAccount, type TestServer } from '../support/server.ts'
import * as openai from './openai.ts'
import * as rivya from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'
import {
  assertRefused,
  CHEAP,
  type ExpectedRefusal,
  GENERATIONS,
  generate,
  readStatus,
  requestIdOf,
  SLOW,
  taskIdOf,
  waitForEnd,
} from './xai.ts'

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000'
const NOT_FOUND = { status: 404, code: 'not-found', says: ['no such'] }

describe('the xAI dialect', () => {
  let server: TestServer
  before(async () => {
    const loopback = '127.0.0.0/8'
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: loopback } })
  })
  after(() => server.stop())

  /** An account of one's own for each test, so that none sees another's credits or tasks. */
  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  describe('a generation', () => {
    test('is pending with HTTP 202, then done with a link to the video and what it cost', async () => {
      const { key } = await account(100)
      const body = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn', duration: 1, aspect_ratio: '1:1' }
      const id = await generate(server, body, { key })
      const first = await readStatus(server, id, { key })
      assert.equal(first.status, 'pending')
      const ended = await waitForEnd(server, id, { key })
      assert.ok(ended.status === 'done')
      const { url, ...video } = ended.video
      assert.deepEqual(video, { duration: 1, respect_moderation: true })
      assert.equal(ended.model, 'grok-imagine-video')
      assert.deepEqual(ended.usage, { cost_in_usd_ticks: 500_000_000 }, '5 cents')
      assert.equal(await rivya.credits(server, { key }), 95)
      const { width, height, durationSeconds } = await readVideoFile(await download(url))
      assert.deepEqual({ width, height, durationSeconds }, { width: 480, height: 480, durationSeconds: 1 })
      const expires = Number(new URL(url).searchParams.get('expires')) - Date.now() / 1000
      assert.ok(expires > 86_000 && expires < 91_000, 'the link works for a day')
    })

    test('has the documented defaults, and does not mind fields that are not documented', async () => {
      const { key } = await account(100)
      const extras = { fps: 60, mode: 'spicy', nested: { any: [1] }, user: 'customer-7', generate_audio: true }
      for (const body of [{ prompt: SLOW.prompt }, { ...SLOW, ...extras, output: { other: 1 } }]) {
        const id = await generate(server, body, { key })
        assert.equal(await rivya.credits(server, { key }), 60, '8 seconds of 480p')
        const task = await server.ask('GET', `/openai/v1/videos/${taskIdOf(id)}`, { key })
        const { seconds, size, model } = openai.videoOf(task)
        assert.deepEqual([seconds, size, model], ['8', '854x480', 'grok-imagine-video'])
        await rivya.cancel(server, taskIdOf(id), { key })
      }
    })

    const prices: readonly (readonly [model: string, resolution: string, perSecond: number])[] = [
      ['grok-imagine-video', '480p', 5],
      ['grok-imagine-video', '720p', 7],
      ['grok-imagine-video-1.5', '480p', 8],
      ['grok-imagine-video-1.5', '720p', 14],
      ['grok-imagine-video-1.5', '1080p', 25],
    ]
    for (const [model, resolution, perSecond] of prices) {
      test(`of ${model} in ${resolution} costs ${perSecond} credits a second`, async () => {
        const { key } = await account()
        for (const duration of [1, 15]) {
          const id = await generate(server, { ...SLOW, model, resolution, duration }, { key })
          const task = await rivya.get(server, taskIdOf(id), { key })
          assert.deepEqual([task.model, task.reserved_credits], [model, perSecond * duration])
          await rivya.cancel(server, task.id, { key })
        }
      })
    }

    for (const alias of ['grok-imagine-video-1.5-preview', 'grok-imagine-video-1.5-2026-05-30']) {
      test(`takes ${alias} for grok-imagine-video-1.5`, async () => {
        const { key } = await account()
        const id = await generate(server, { ...CHEAP, model: alias, resolution: '1080p' }, { key })
        const ended = await waitForEnd(server, id, { key })
        assert.ok(ended.status === 'failed')
        assert.equal(ended.model, 'grok-imagine-video-1.5')
      })
    }

    test('is the same below /xai, and stays open for a while if the reader prefers', async () => {
      const { key } = await account()
      const answer = await server.ask('POST', `/xai${GENERATIONS}`, { key, body: CHEAP })
      const id = requestIdOf(answer)
      const headers = { prefer: 'wait=30' }
      let read = await server.ask('GET', `/xai/v1/videos/${id}`, { key, headers })
      assert.equal(read.headers.get('preference-applied'), 'wait=30')
      while (read.status === 202) read = await server.ask('GET', `/xai/v1/videos/${id}`, { key, headers })
      assert.equal(read.text, (await server.ask('GET', `/v1/videos/${id}`, { key })).text)
    })

    test('is put where output.upload_url says', async () => {
      const { key } = await account()
      await using receiver = await startReceiver(200)
      const output = { upload_url: `${receiver.url}/bucket/video.mp4?signature=abc` }
      const id = await generate(server, { prompt: 'snow', duration: 1, output }, { key })
      const ended = await waitForEnd(server, id, { key })
      assert.ok(ended.status === 'done', 'and linked to as ever')
      const put = await waitFor('the upload', () => receiver.received[0])
      assert.deepEqual([put.method, put.path], ['PUT', '/bucket/video.mp4?signature=abc'])
      assert.deepEqual(new Uint8Array(put.body), await download(ended.video.url))
    })

    test('is made once for one Idempotency-Key, and refused for another body', async () => {
      const { key } = await account()
      const headers = { 'idempotency-key': 'order-7' }
      const first = await server.ask('POST', GENERATIONS, { key, headers, body: SLOW })
      const again = await server.ask('POST', GENERATIONS, { key, headers, body: SLOW })
      assert.equal(again.text, first.text)
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assert.equal(await rivya.credits(server, { key }), 960)
      const other = await server.ask('POST', GENERATIONS, { key, headers, body: { ...SLOW, duration: 7 } })
      assertRefused(other, { status: 400, code: 'already-exists', says: ['Idempotency-Key'] })
      await rivya.cancel(server, taskIdOf(requestIdOf(first)), { key })
    })

    test('that was made with Rivya reads here in xAI’s words, and the other way round', async () => {
      const { key } = await account()
      const made = await rivya.create(server, rivya.CHEAP, { key })
      const uuid = made.id.replace(/^task_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
      for (const id of [uuid, made.id, made.id.replace('task_', 'video_')]) {
        assert.equal((await waitForEnd(server, id, { key })).status, 'failed')
      }
      const id = await generate(server, CHEAP, { key })
      const read = await rivya.waitForStatus(server, taskIdOf(id), ['failed'], { key })
      assert.equal(read.error?.code, 'generation_failed')
    })
  })

  describe('what does not become a video', () => {
    test('failed: HTTP 200, why, an empty link, and no cost', async () => {
      const { key } = await account()
      const ended = await waitForEnd(server, await generate(server, CHEAP, { key }), { key })
      assert.deepEqual(ended, {
        status: 'failed',
        error: { code: 'internal_error', message: 'The generation failed, as sandbox:fail asks.' },
        video: { url: '', duration: 0, respect_moderation: true },
        model: 'grok-imagine-video',
      })
      assert.equal(await rivya.credits(server, { key }), 1_000)
    })

    test('failed for its input: invalid_argument', async () => {
      const { key } = await account()
      const ended = await waitForEnd(server, await generate(server, { prompt: 'sandbox:nonsense' }, { key }), { key })
      assert.ok(ended.status === 'failed')
      assert.equal(ended.error.code, 'invalid_argument')
      assert.match(ended.error.message, /sandbox:fail/)
    })

    test('moderated: done, with respect_moderation false and an empty link', async () => {
      const { key } = await account()
      const ended = await waitForEnd(server, await generate(server, { prompt: 'sandbox:moderated' }, { key }), { key })
      assert.deepEqual(ended, {
        status: 'done',
        video: { url: '', duration: 0, respect_moderation: false },
        model: 'grok-imagine-video',
        usage: { cost_in_usd_ticks: 0 },
        progress: 100,
      })
    })

    test('expired: nothing but the word', async () => {
      const { key } = await account()
      const ended = await waitForEnd(server, await generate(server, { prompt: 'sandbox:expire' }, { key }), { key })
      assert.deepEqual(ended, { status: 'expired' })
    })

    test('canceled in another dialect: failed_precondition', async () => {
      const { key } = await account()
      const id = await generate(server, SLOW, { key })
      await rivya.cancel(server, taskIdOf(id), { key })
      const read = await readStatus(server, id, { key })
      assert.ok(read.status === 'failed')
      assert.deepEqual(read.error, { code: 'failed_precondition', message: 'The generation was canceled.' })
    })

    test('deleted by retention: expired, when, and what it had cost', async () => {
      const { key } = await account()
      const id = await generate(server, { prompt: 'snow', duration: 1 }, { key })
      assert.equal((await waitForEnd(server, id, { key })).status, 'done')
      await server.withDatabase((pool) =>
        pool.query(`update media set expires_at = now(), deleted_at = '2026-01-02T03:04:05Z' where task_id = $1`, [id]),
      )
      assert.deepEqual(await readStatus(server, id, { key }), {
        status: 'expired',
        error: {
          code: 'failed_precondition',
          message: 'The video was deleted on 2026-01-02T03:04:05.000Z, when its time in storage was over.',
        },
        model: 'grok-imagine-video',
        usage: { cost_in_usd_ticks: 500_000_000 },
      })
    })
  })

  describe('a request that is refused', () => {
    const NOT_OFFERED = 'not offered by this server'
    const IMAGE = { url: 'https://cdn.example.com/a.png' }
    const bad = (name: string, body: unknown, ...says: (string | RegExp)[]) => ({ name, body, says })
    const cases: readonly { readonly name: string; readonly body: unknown; readonly says: (string | RegExp)[] }[] = [
      bad('malformed JSON', '{"prompt": ', 'not valid JSON'),
      bad('a body that is a list', [CHEAP], 'body', 'an object'),
      bad('no body', '', 'body', 'an object'),
      bad('no prompt', { model: CHEAP.model }, 'prompt is required'),
      bad('a prompt that is null', { prompt: null }, 'prompt is required'),
      bad('an empty prompt', { prompt: ' ' }, 'prompt is empty', '1 to 4096 characters'),
      bad('a prompt of 4,097 characters', { prompt: '🌊'.repeat(4_097) }, 'prompt has 4097', '1 to 4096'),
      bad('a prompt with NUL', { prompt: 'a\0b' }, 'prompt', 'without NUL'),
      bad('a model that is a number', { ...CHEAP, model: 7 }, 'model', '7', 'a text'),
      bad('a duration of 0', { ...CHEAP, duration: 0 }, 'duration', '0', 'from 1 to 15'),
      bad('a duration of 16', { ...CHEAP, duration: 16 }, 'duration', '16', 'from 1 to 15'),
      bad('a duration of 7.5', { ...CHEAP, duration: 7.5 }, 'duration', '7.5', 'in steps of 1'),
      bad('a duration in a text', { ...CHEAP, duration: '8' }, 'duration', '"8"', 'a number'),
      bad('an unknown ratio', { ...CHEAP, aspect_ratio: '21:9' }, 'aspect_ratio', '"21:9"', 'one of 1:1, 16:9'),
      bad('1080p of the base model', { ...CHEAP, resolution: '1080p' }, 'resolution', '"1080p"', 'one of 480p, 720p'),
      bad('an unknown resolution', { ...CHEAP, resolution: 480 }, 'resolution', '480', 'a text'),
      bad('no sound', { ...CHEAP, generate_audio: false }, 'generate_audio', 'false', 'true'),
      bad('a user that is a number', { ...CHEAP, user: 7 }, 'user', '7', 'a text'),
      bad('an output that is a text', { ...CHEAP, output: 'x' }, 'output', 'an object'),
      bad('an upload_url that is a number', { ...CHEAP, output: { upload_url: 7 } }, 'output.upload_url', '7'),
      ...['https://10.0.0.1/x', 'https://[::1]/x', 'http://93.184.215.14/x', 'ftp://cdn.example.com/x', 'nonsense'].map(
        (upload_url) => bad(`an upload_url ${upload_url}`, { ...CHEAP, output: { upload_url } }, 'output.upload_url'),
      ),
      bad('an image that is a text', { ...CHEAP, image: IMAGE.url }, 'image', 'either url or file_id'),
      bad('an image that is nothing', { image: {} }, 'image', '{}', 'either url or file_id'),
      bad('an image that is two', { image: { ...IMAGE, file_id: 'x' } }, 'image', 'either url or file_id'),
      bad('one reference image', { ...CHEAP, reference_images: IMAGE }, 'reference_images', 'a list'),
      bad('reference audios', { ...CHEAP, reference_audios: [] }, 'reference_audios', NOT_OFFERED),
      bad('a last frame of the base model', { ...CHEAP, last_frame: IMAGE }, 'last_frame.url', 'no such file'),
      bad('a video', { ...CHEAP, video: IMAGE }, 'video', '/v1/videos/edits'),
      bad('key frames', { ...CHEAP, keyframes: [] }, 'keyframes', NOT_OFFERED),
      bad('storage options', { ...CHEAP, storage_options: { filename: 'a.mp4' } }, 'storage_options', NOT_OFFERED),
      bad('a field of no meaning with NUL', '{"prompt":"sea","metadata":"\\u0000"}', 'metadata', 'without NUL'),
      bad('half a surrogate pair there', '{"prompt":"sea","metadata":"\\ud800"}', 'metadata', 'valid Unicode'),
      bad('a key that is NUL', '{"prompt":"sea","\\u0000":1}', 'key', 'without NUL'),
      bad(
        'an upload_url with half a surrogate pair',
        '{"prompt":"sea","output":{"upload_url":"https://cdn.example.com/\\ud800"}}',
        'output.upload_url',
        'valid Unicode',
      ),
      bad('a duration next to a whole number', { ...CHEAP, duration: 6.0000000001 }, 'duration', '6.0000000001'),
      bad('the key "__proto__"', '{"__proto__":{},"prompt":"x"}', '__proto__'),
    ]
    for (const { name, body, says } of cases) {
      test(`${name}: 400 invalid-argument`, async () => {
        const { key } = await account(10)
        const answer = await server.ask('POST', GENERATIONS, { key, body })
        assertRefused(answer, { status: 400, code: 'invalid-argument', says })
        assert.equal(await rivya.credits(server, { key }), 10)
      })
    }

    const others: readonly (readonly [name: string, path: string, ask: Ask, expected: ExpectedRefusal])[] = [
      [
        'an unknown model',
        GENERATIONS,
        { body: { ...CHEAP, model: 'sora' } },
        { status: 404, code: 'not-found', says: ['"sora"', 'one of', 'grok-imagine-video-1.5'] },
      ],
      [
        'a form',
        GENERATIONS,
        { body: 'x', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
        { status: 415, code: 'invalid-argument', says: ['JSON'] },
      ],
      [
        'a body over the limit',
        GENERATIONS,
        { body: { ...CHEAP, extra: 'x'.repeat(300_000) } },
        { status: 400, code: 'invalid-argument', says: ['extra is too long', '262144 bytes'] },
      ],
      [
        'an Idempotency-Key with a space',
        GENERATIONS,
        { body: CHEAP, headers: { 'idempotency-key': 'a b' } },
        { status: 400, code: 'invalid-argument', says: ['Idempotency-Key'] },
      ],
    ]
    for (const [name, path, ask, expected] of others) {
      test(`${name}: ${expected.status} ${expected.code}`, async () => {
        assertRefused(await server.ask('POST', path, ask), expected)
      })
    }

    test('more than the balance: 403 permission-denied', async () => {
      const { key } = await account(39)
      const refused = await server.ask('POST', GENERATIONS, { key, body: CHEAP })
      assertRefused(refused, { status: 403, code: 'permission-denied', says: ['costs 40', '39 are available'] })
    })

    test('another method, another path', async () => {
      const method = await server.ask('GET', GENERATIONS)
      assertRefused(method, { status: 405, code: 'unimplemented', says: ['allowed: POST'] })
      assert.equal(method.headers.get('allow'), 'POST')
      const path = await server.ask('POST', '/xai/v1/videos/nothing/here', { body: CHEAP })
      assertRefused(path, { status: 404, code: 'not-found', says: ['/xai/v1/videos/nothing/here'] })
    })
  })

  describe('who may ask', () => {
    test('without a key: 401; with a wrong one: 400, as the vendor has it', async () => {
      for (const [method, path] of [
        ['POST', GENERATIONS],
        ['POST', '/v1/videos/edits'],
        ['POST', '/v1/videos/extensions'],
        ['GET', `/v1/videos/${UNKNOWN_ID}`],
      ] as const) {
        const ask = method === 'POST' ? { body: CHEAP } : {}
        const missing = await server.ask(method, path, { ...ask, key: null })
        assertRefused(missing, { status: 401, code: 'unauthenticated', says: [/key/i] })
        const wrong = await server.ask(method, path, { ...ask, key: `rly_live_${'x'.repeat(32)}` })
        assertRefused(wrong, { status: 400, code: 'invalid-argument', says: [/key/i] })
      }
    })

    test('another account’s video, an unknown and a malformed id are all not found', async () => {
      const [owner, stranger] = [await account(), await account()]
      const id = await generate(server, SLOW, { key: owner.key })
      for (const asked of [id, UNKNOWN_ID, 'x', 'task_x', id.toUpperCase(), `${id}0`]) {
        assertRefused(await server.ask('GET', `/v1/videos/${asked}`, { key: stranger.key }), NOT_FOUND)
      }
      assertRefused(await server.ask('GET', `/v1/videos/${id}`, { key: owner.testKey }), NOT_FOUND)
      await rivya.cancel(server, taskIdOf(id), { key: owner.key })
    })

    test('an account with no credits left may still read', async () => {
      const { key } = await account(40)
      const id = await generate(server, SLOW, { key })
      assert.equal((await readStatus(server, id, { key })).status, 'pending')
      await rivya.cancel(server, taskIdOf(id), { key })
    })
  })

  test('logged no failure of its own for any of it', () => {
    const failures = server
      .log()
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(failures, [])
  })
})
