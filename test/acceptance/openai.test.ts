/** The OpenAI Videos dialect over HTTP, request by request and field by field. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Ask, startServer, type TestAccount, type TestServer } from '../support/server.ts'
import {
  assertRefused,
  CHEAP,
  create,
  deletedOf,
  type ExpectedRefusal,
  form,
  get,
  pageOf,
  remove,
  SLOW,
  VIDEOS,
  type Video,
  videoOf,
  waitForEnd,
} from './openai.ts'
import * as rivya from './rivya.ts'
import { readVideoFile } from './video-file.ts'

const UNKNOWN_ID = `video_${'0'.repeat(12)}70008${'0'.repeat(15)}`
const NOT_FOUND = { status: 404, code: 'video_not_found', param: null, says: ['no such generation'] }

describe('the OpenAI Videos dialect', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
  })
  after(() => server.stop())

  /** An account of one's own for each test, so that none sees another's credits or tasks. */
  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  /** The bytes behind a key. */
  async function content(id: string, about: { key: string; query?: string; range?: string }): Promise<Response> {
    const { key, query = '', range } = about
    const headers = { authorization: `Bearer ${key}`, ...(range === undefined ? {} : { range }) }
    return fetch(`${server.url}${VIDEOS}/${id}/content${query}`, { headers })
  }

  describe('a video', () => {
    test('is queued with the documented object, and the documented defaults', async () => {
      const { key } = await account()
      const made = await server.ask('POST', VIDEOS, { key, body: SLOW })
      const { id, created_at, ...rest } = videoOf(made)
      assert.deepEqual(rest, {
        object: 'video',
        status: 'queued',
        progress: 0,
        model: 'grok-imagine-video',
        completed_at: null,
        expires_at: null,
        error: null,
        prompt: SLOW.prompt,
        remixed_from_video_id: null,
        seconds: '4',
        size: '720x1280',
      })
      assert.ok(Math.abs(created_at - Date.now() / 1000) < 60)
      assert.equal(await rivya.credits(server, { key }), 1_000 - 4 * 7)
      await remove(server, id, { key })
      assert.equal(await rivya.credits(server, { key }), 1_000)
    })

    test('is made from a form as from JSON, and is completed with its files', async () => {
      const { key } = await account()
      const fields = { prompt: 'Foggy mountains', model: 'grok-imagine-video', seconds: '1', size: '480x480' }
      const { id } = videoOf(await server.ask('POST', VIDEOS, { key, ...form(fields) }))
      const { completed_at, created_at, expires_at, ...ended } = await waitForEnd(server, id, { key })
      assert.deepEqual(ended, {
        id,
        object: 'video',
        status: 'completed',
        progress: 100,
        model: 'grok-imagine-video',
        error: null,
        prompt: 'Foggy mountains',
        remixed_from_video_id: null,
        seconds: '1',
        size: '480x480',
      })
      assert.ok(completed_at !== null && completed_at >= created_at)
      assert.ok(expires_at !== null && expires_at > completed_at)
      assert.equal(await rivya.credits(server, { key }), 995)
      await checkContent(id, key)
    })

    async function checkContent(id: string, key: string): Promise<void> {
      const whole = await content(id, { key })
      assert.equal(whole.status, 200)
      assert.equal(whole.headers.get('content-type'), 'video/mp4')
      assert.match(whole.headers.get('content-disposition') ?? '', /^inline; filename="med_[0-9a-f]{32}\.mp4"$/)
      assert.match(whole.headers.get('cache-control') ?? '', /^private/)
      const bytes = new Uint8Array(await whole.arrayBuffer())
      const { width, height, durationSeconds } = await readVideoFile(bytes)
      assert.deepEqual({ width, height, durationSeconds }, { width: 480, height: 480, durationSeconds: 1 })
      assert.deepEqual(new Uint8Array(await (await content(id, { key, query: '?variant=video' })).arrayBuffer()), bytes)

      const path = `${VIDEOS}/${id}/content`
      const head = await server.ask('HEAD', path, { key })
      assert.deepEqual([head.status, head.text], [200, ''])
      for (const name of ['content-length', 'content-type', 'accept-ranges', 'etag', 'last-modified']) {
        assert.equal(head.headers.get(name), whole.headers.get(name), name)
      }
      assert.equal(head.headers.get('content-length'), String(bytes.length))
      assert.equal((await server.ask('HEAD', path, { key: null })).status, 401)

      const part = await content(id, { key, range: 'bytes=4-7' })
      assert.equal(part.status, 206)
      assert.equal(part.headers.get('content-range'), `bytes 4-7/${bytes.length}`)
      assert.equal(await part.text(), 'ftyp')
      assert.equal((await content(id, { key, range: `bytes=${bytes.length}-` })).status, 416)

      for (const variant of ['thumbnail', 'spritesheet']) {
        const picture = await content(id, { key, query: `?variant=${variant}` })
        assert.equal(picture.headers.get('content-type'), 'image/jpeg', variant)
        assert.deepEqual(new Uint8Array(await picture.arrayBuffer()).subarray(0, 3), new Uint8Array([0xff, 0xd8, 0xff]))
      }
    }

    const prices: readonly (readonly [model: string, size: string, seconds: string, credits: number])[] = [
      ['grok-imagine-video', '480x720', '15', 75],
      ['grok-imagine-video', '854x480', '1', 5],
      ['grok-imagine-video', '960x720', '2', 14],
      ['grok-imagine-video-1.5', '480x640', '3', 24],
      ['grok-imagine-video-1.5', '1280x720', '3', 42],
      ['grok-imagine-video-1.5', '1920x1080', '3', 75],
    ]
    for (const [model, size, seconds, credits] of prices) {
      test(`of ${seconds} s in ${size} by ${model} costs ${credits} credits`, async () => {
        const { key } = await account()
        const made = await create(server, { ...SLOW, model, size, seconds }, { key })
        assert.deepEqual([made.model, made.size, made.seconds], [model, size, seconds])
        assert.equal(await rivya.credits(server, { key }), 1_000 - credits)
        await remove(server, made.id, { key })
      })
    }

    const endings: readonly (readonly [prompt: string, code: string, message: RegExp])[] = [
      ['sandbox:fail', 'generation_failed', /failed/],
      ['sandbox:moderated', 'moderation_blocked', /policy/],
      ['sandbox:expire', 'expired', /credits were returned/],
      ['sandbox:nonsense', 'invalid_input', /sandbox:fail/],
    ]
    for (const [prompt, code, message] of endings) {
      test(`of ${prompt} is failed with the code ${code}, and costs nothing`, async () => {
        const { key } = await account()
        const { id } = await create(server, { prompt }, { key })
        const ended = await waitForEnd(server, id, { key })
        assert.deepEqual([ended.status, ended.error?.code, ended.completed_at], ['failed', code, null])
        assert.match(ended.error?.message ?? '', message)
        assert.equal(await rivya.credits(server, { key }), 1_000)
        const answer = await server.ask('GET', `${VIDEOS}/${id}/content`, { key })
        assertRefused(answer, { status: 404, code: 'content_not_found', param: null, says: ['is failed'] })
      })
    }

    test('is made once for one Idempotency-Key, as a form or as JSON, and refused for another body', async () => {
      const { key } = await account()
      const headers = { 'idempotency-key': 'order-7' }
      const first = await server.ask('POST', VIDEOS, { key, headers, body: CHEAP })
      await waitForEnd(server, videoOf(first).id, { key })
      const sent = form(CHEAP)
      const again = await server.ask('POST', VIDEOS, { key, body: sent.body, headers: { ...headers, ...sent.headers } })
      assert.equal(again.text, first.text, 'even when the video has ended meanwhile')
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      const other = await server.ask('POST', VIDEOS, { key, headers, body: { ...CHEAP, seconds: '5' } })
      assertRefused(other, { status: 400, code: 'idempotency_conflict', param: null, says: ['Idempotency-Key'] })
      assert.equal(pageOf(await server.ask('GET', VIDEOS, { key })).data.length, 1)
    })

    test('that was made with another dialect reads here in these words', async () => {
      const { key } = await account()
      const made = await rivya.create(
        server,
        { ...rivya.CHEAP, params: { aspect_ratio: '3:2', duration: 30 } },
        { key },
      )
      const id = made.id.replace('task_', 'video_')
      const read = await waitForEnd(server, id, { key })
      assert.deepEqual([read.seconds, read.size, read.error?.code], ['30', '720x480', 'generation_failed'])
      assert.equal((await get(server, made.id, { key })).id, id)
      assert.deepEqual(
        pageOf(await server.ask('GET', VIDEOS, { key })).data.map((each) => each.id),
        [id],
      )
    })

    test('has a HEAD that says how long its object is, or that there is none', async () => {
      const { key } = await account()
      const { id } = await create(server, CHEAP, { key })
      await waitForEnd(server, id, { key })
      for (const path of [id, UNKNOWN_ID].map((each) => `${VIDEOS}/${each}`)) {
        const [read, head] = [await server.ask('GET', path, { key }), await server.ask('HEAD', path, { key })]
        assert.deepEqual([head.status, head.text], [read.status, ''])
        for (const name of ['content-length', 'content-type']) {
          assert.equal(head.headers.get(name), read.headers.get(name), name)
        }
        assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(read.text)))
      }
    })

    test('that was canceled in another dialect is failed, and says so', async () => {
      const { key } = await account()
      const { id } = await create(server, SLOW, { key })
      await rivya.cancel(server, id.replace('video_', 'task_'), { key })
      assert.deepEqual((await get(server, id, { key })).error, {
        code: 'canceled',
        message: 'The generation was canceled.',
      })
    })

    test('stays open for a while if the reader prefers', async () => {
      const { key } = await account()
      const { id } = await create(server, CHEAP, { key })
      let read: Video | undefined
      while (read?.status !== 'failed') {
        const answer = await server.ask('GET', `${VIDEOS}/${id}`, { key, headers: { prefer: 'wait=30' } })
        assert.equal(answer.headers.get('preference-applied'), 'wait=30')
        read = videoOf(answer)
      }
    })
  })

  describe('the content', () => {
    test('of a video in the making is not there yet, and says so', async () => {
      const { key } = await account()
      const { id } = await create(server, SLOW, { key })
      for (const variant of ['video', 'thumbnail', 'spritesheet']) {
        const answer = await server.ask('GET', `${VIDEOS}/${id}/content?variant=${variant}`, { key })
        const says = [/is (queued|in_progress)/, 'completed']
        assertRefused(answer, { status: 404, code: 'content_not_found', param: null, says })
      }
      await remove(server, id, { key })
    })

    test('that retention has deleted says when, and the video tells it too', async () => {
      const { key } = await account()
      const { id } = await create(server, { prompt: 'snow', seconds: '1', size: '480x480' }, { key })
      assert.equal((await waitForEnd(server, id, { key })).status, 'completed')
      const path = `${VIDEOS}/${id}/content`
      const uuid = id.replace('video_', '')
      const age = (set: string) =>
        server.withDatabase((pool) => pool.query(`update media set ${set} where task_id = $1`, [uuid]))
      await age(`expires_at = now() - interval '1 second'`)
      const due = await server.ask('GET', path, { key })
      assertRefused(due, { status: 404, code: 'content_not_found', param: null, says: ['deleted'] })
      await age(`deleted_at = '2026-01-02T03:04:05Z'`)
      const gone = await server.ask('GET', path, { key })
      const says = ['The video was deleted on 2026-01-02T03:04:05.000Z']
      assertRefused(gone, { status: 404, code: 'content_not_found', param: null, says })
      const read = await get(server, id, { key })
      assert.deepEqual([read.status, read.expires_at], ['completed', Date.parse('2026-01-02T03:04:05Z') / 1000])
    })
  })

  describe('the list', () => {
    test('gives pages in both orders that together hold every video once', async () => {
      const { key } = await account()
      const made: string[] = []
      for (let count = 0; count < 5; count++) made.push((await create(server, CHEAP, { key })).id)
      for (const [order, expected] of [
        ['asc', made],
        ['desc', made.toReversed()],
      ] as const) {
        const read: string[] = []
        for (let after = ''; ; ) {
          const page = pageOf(await server.ask('GET', `${VIDEOS}?limit=2&order=${order}${after}`, { key }))
          const ids = page.data.map(({ id }) => id)
          assert.deepEqual([page.first_id, page.last_id], [ids[0], ids.at(-1)])
          read.push(...ids)
          after = `&after=${page.last_id}`
          if (!page.has_more) break
        }
        assert.deepEqual(read, expected, order)
      }
      const whole = pageOf(await server.ask('GET', `${VIDEOS}?limit=5`, { key }))
      assert.deepEqual([whole.data.length, whole.has_more], [5, false], 'a page that is just full has no next')
      assert.deepEqual(
        whole.data.map(({ id }) => id),
        made.toReversed(),
        'newest first unless asked otherwise',
      )
    })

    test('is empty for a new account, and gives 20 at most unless asked for more', async () => {
      const { key } = await account()
      assert.deepEqual(pageOf(await server.ask('GET', VIDEOS, { key })), {
        object: 'list',
        data: [],
        first_id: null,
        last_id: null,
        has_more: false,
      })
      await Promise.all(Array.from({ length: 21 }, () => create(server, CHEAP, { key })))
      const page = pageOf(await server.ask('GET', VIDEOS, { key }))
      assert.deepEqual([page.data.length, page.has_more], [20, true])
      assert.equal(pageOf(await server.ask('GET', `${VIDEOS}?limit=100`, { key })).data.length, 21)
    })
  })

  describe('deleting', () => {
    test('takes a finished video out of every dialect at once, with its files, and what it cost stays spent', async () => {
      const { key } = await account(100)
      const { id } = await create(server, { prompt: 'rain', seconds: '1', size: '480x480' }, { key })
      assert.equal((await waitForEnd(server, id, { key })).status, 'completed')
      const link = (await rivya.get(server, id.replace('video_', 'task_'), { key })).result?.primary_url ?? ''
      assert.equal((await fetch(link)).status, 200)
      assert.deepEqual(deletedOf(await server.ask('DELETE', `${VIDEOS}/${id}`, { key })), {
        id,
        deleted: true,
        object: 'video.deleted',
      })
      assert.equal((await fetch(link)).status, 410)
      for (const [method, path] of [
        ['GET', `${VIDEOS}/${id}`],
        ['GET', `${VIDEOS}/${id}/content`],
        ['DELETE', `${VIDEOS}/${id}`],
      ] as const) {
        assertRefused(await server.ask(method, path, { key }), NOT_FOUND)
      }
      assert.equal((await server.ask('GET', `/v1/videos/${id}`, { key })).status, 404)
      assert.deepEqual(rivya.pageOf(await server.ask('GET', '/api/v1/generations', { key })).data, [])
      assert.equal(await rivya.credits(server, { key }), 95)
    })

    test('leaves the answer to its Idempotency-Key as it was', async () => {
      const { key } = await account()
      const ask = { key, headers: { 'idempotency-key': 'order-8' }, body: CHEAP }
      const first = await server.ask('POST', VIDEOS, ask)
      const { id } = videoOf(first)
      await waitForEnd(server, id, { key })
      await remove(server, id, { key })
      const again = await server.ask('POST', VIDEOS, ask)
      assert.equal(videoOf(again).id, id)
      assert.equal(again.text, first.text)
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
      assertRefused(await server.ask('GET', `${VIDEOS}/${id}`, { key }), NOT_FOUND)
      const other = (await account()).key
      assert.notEqual(videoOf(await server.ask('POST', VIDEOS, { ...ask, key: other })).id, id)
    })

    test('a video in the making cancels it, and returns its credits', async () => {
      const { key } = await account(100)
      const { id } = await create(server, SLOW, { key })
      assert.equal(await rivya.credits(server, { key }), 72)
      await remove(server, id, { key })
      assert.equal(await rivya.credits(server, { key }), 100)
      assert.deepEqual(pageOf(await server.ask('GET', VIDEOS, { key })).data, [])
    })
  })

  describe('a request that is refused', () => {
    type Case = readonly [name: string, ask: Ask, param: string | null, ...says: (string | RegExp)[]]
    const cases: readonly Case[] = [
      ['JSON without a prompt', { body: { seconds: '4' } }, 'prompt', 'prompt is required', 'a text'],
      ['a form without a prompt', form({ seconds: '4' }), 'prompt', 'prompt is required', 'a text'],
      ['a form without fields', form({}), 'prompt', 'prompt is required'],
      ['no body', { body: '' }, 'body', 'body', 'an object'],
      ['a body that is a list', { body: [CHEAP] }, 'body', 'an object'],
      ['an empty prompt', form({ prompt: '' }), 'prompt', 'prompt is empty', '1 to 4096 characters'],
      ['a prompt of 4,097 characters', form({ prompt: 'x'.repeat(4_097) }), 'prompt', 'prompt has 4097'],
      ['a prompt with NUL', { body: { prompt: 'a\0b' } }, 'prompt', 'without NUL'],
      [
        'a prompt that is a file',
        form({ prompt: { filename: 'a.txt', bytes: 10 } }),
        'prompt',
        'the file is plain text',
      ],
      ['seconds "16"', form({ ...CHEAP, seconds: '16' }), 'seconds', '"16"', 'one of 1, 2, 3'],
      ['seconds "0"', form({ ...CHEAP, seconds: '0' }), 'seconds', '"0"', 'one of 1, 2, 3'],
      ['seconds "4.0"', form({ ...CHEAP, seconds: '4.0' }), 'seconds', '"4.0"', 'one of 1, 2, 3'],
      ['seconds that are a list', { body: { ...CHEAP, seconds: [4] } }, 'seconds', '[4]', 'a text or a number'],
      ['an unknown size', form({ ...CHEAP, size: '1x1' }), 'size', '"1x1"', 'one of 720x1280, 1280x720'],
      ['a size of 1.5 alone', form({ ...CHEAP, size: '1920x1080' }), 'size', '"1920x1080"', 'one of 720x1280'],
      ['a size in other words', { body: { ...CHEAP, size: '720p' } }, 'size', '"720p"', 'one of 720x1280'],
      ['an unknown field', { body: { ...CHEAP, fps: 24 } }, 'fps', 'unknown', 'prompt, model, user, seconds, size'],
      ['an unknown field of a form', form({ ...CHEAP, n: '2' }), 'n', 'unknown'],
      [
        'a reference that is a text',
        { body: { ...CHEAP, input_reference: 'x' } },
        'input_reference',
        'image_url or file_id',
      ],
      ['a reference that is a text of a form', form({ ...CHEAP, input_reference: 'x' }), 'input_reference', 'a file'],
      [
        'a reference file that is no picture',
        form({ ...CHEAP, input_reference: { filename: 'a.png', bytes: 100_000 } }),
        'input_reference',
        'allowed: ',
      ],
    ]
    for (const [name, ask, param, ...says] of cases) {
      test(`${name}: 400 invalid_value`, async () => {
        const { key } = await account(100)
        const answer = await server.ask('POST', VIDEOS, { ...ask, key })
        assertRefused(answer, { status: 400, code: 'invalid_value', param, says })
        assert.equal(await rivya.credits(server, { key }), 100)
      })
    }

    const multipart = (body: string, parameters = '; boundary=x') => ({
      body,
      headers: { 'content-type': `multipart/form-data${parameters}` },
    })
    const field = (name: string, value: string) =>
      `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
    const notUtf8 = (): Ask => {
      const { headers } = multipart('')
      return { body: Buffer.from(`${field('prompt', 'caf\u00e9')}--x--\r\n`, 'latin1'), headers }
    }
    const malformed: readonly Case[] = [
      ['malformed JSON', { body: '{"prompt": ' }, null, 'not valid JSON'],
      ['a form without a boundary', multipart('x', ''), null, 'boundary'],
      ['a form with an empty boundary', multipart('x', '; boundary='), null, /form/],
      ['a form that never begins', multipart('nothing of the kind'), null, /form/],
      ['a form that is cut in a field', multipart(field('prompt', 'sea').slice(0, -4)), null, /form/],
      ['a form that is cut in a header', multipart('--x\r\ncontent-dispos'), null, /form/],
      ['a form without its last boundary', multipart(field('prompt', 'sandbox:fail')), null, /form/],
      ['an empty form body', multipart(''), null, /form/],
      ['a field whose name has NUL', multipart(`${field('a\0b', 'x')}--x--\r\n`), null, 'field name', 'without NUL'],
      ['a field that is not UTF-8', notUtf8(), null, 'prompt', 'not UTF-8'],
    ]
    for (const [name, ask, param, ...says] of malformed) {
      test(`${name}: 400 invalid_body`, async () => {
        const { key } = await account(100)
        const answer = await server.ask('POST', VIDEOS, { ...ask, key })
        assertRefused(answer, { status: 400, code: 'invalid_body', param, says })
        assert.equal(await rivya.credits(server, { key }), 100)
      })
    }

    const bodies: readonly (readonly [name: string, ask: Ask, expected: ExpectedRefusal])[] = [
      [
        'a huge field',
        form({ prompt: 'x'.repeat(200_000) }),
        { status: 413, code: 'body_too_large', param: null, says: ['prompt', 'too large'] },
      ],
      [
        'a hundred fields',
        form(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 'x']))),
        { status: 413, code: 'body_too_large', param: null, says: ['parts'] },
      ],
      [
        'a field twice',
        multipart(`${field('prompt', 'sea')}${field('prompt', 'sun')}--x--\r\n`),
        { status: 400, code: 'invalid_value', param: null, says: ['prompt', 'twice'] },
      ],
      [
        'a field that is named like an inherited property',
        form({ ...CHEAP, constructor: 'x', __proto__x: 'y' }),
        { status: 400, code: 'invalid_value', param: 'constructor', says: ['unknown'] },
      ],
      [
        'another content type',
        { body: 'prompt=sea', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        { status: 415, code: 'unsupported_content_type', param: null, says: ['multipart/form-data or JSON'] },
      ],
      [
        'a huge prompt',
        { body: { prompt: 'x'.repeat(300_000) } },
        { status: 400, code: 'invalid_value', param: 'prompt', says: ['prompt is too long', '262144 bytes'] },
      ],
      [
        'an unknown model',
        form({ ...CHEAP, model: 'sora-3' }),
        {
          status: 400,
          code: 'model_not_found',
          param: 'model',
          says: ['"sora-3"', 'one of', 'grok-imagine-video', 'sora-2'],
        },
      ],
    ]
    for (const [name, ask, expected] of bodies) {
      test(`${name}: ${expected.status} ${expected.code}`, async () => {
        assertRefused(await server.ask('POST', VIDEOS, ask), expected)
      })
    }

    const reads: readonly (readonly [path: string, param: string, ...says: string[]])[] = [
      ['?limit=0', 'limit', '"0"', 'from 1 to 100'],
      ['?limit=101', 'limit', '"101"', 'from 1 to 100'],
      ['?limit=two', 'limit', '"two"'],
      ['?limit=1&limit=2', 'limit', 'limit'],
      ['?order=newest', 'order', '"newest"', 'one of asc, desc'],
      ['?after=nonsense', 'after', '"nonsense"', 'the id of a video'],
      ['?after=', 'after', '""', 'the id of a video'],
      ['?before=x', 'before', 'unknown', 'limit, order, after'],
      [`/${UNKNOWN_ID}/content?variant=gif`, 'variant', '"gif"', 'one of video, thumbnail, spritesheet'],
    ]
    for (const [path, param, ...says] of reads) {
      test(`GET ${path}: 400 invalid_value`, async () => {
        const answer = await server.ask('GET', `${VIDEOS}${path}`)
        assertRefused(answer, { status: 400, code: 'invalid_value', param, says })
      })
    }

    test('a huge body where there can be no picture in it: 413 body_too_large', async () => {
      const body = { prompt: 'x'.repeat(300_000) }
      const answer = await server.ask('POST', `${VIDEOS}/${UNKNOWN_ID}/remix`, { body })
      assertRefused(answer, { status: 413, code: 'body_too_large', param: null, says: ['too large'] })
    })

    test('more than the balance: 402 insufficient_quota, which clients do not repeat', async () => {
      const { key } = await account(27)
      const refused = await server.ask('POST', VIDEOS, { key, ...form(CHEAP) })
      assertRefused(refused, {
        status: 402,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        param: null,
        says: ['costs 28', '27 are available'],
      })
    })

    test('another method, another path', async () => {
      const method = await server.ask('PUT', VIDEOS, { body: CHEAP })
      assertRefused(method, { status: 405, code: 'method_not_allowed', param: null, says: ['allowed: POST, GET'] })
      for (const path of ['/openai/v1/nothing', '/openai/v2/videos', '/openai/openai/v1/videos', '/openai']) {
        const answer = await server.ask('GET', path)
        assertRefused(answer, { status: 404, code: 'unknown_url', param: null, says: [path] })
      }
    })

    test('is not served at the paths that are xAI’s, nor at those next to them', async () => {
      assert.equal((await server.ask('POST', '/v1/videos', { body: CHEAP })).status, 404)
      assert.equal((await server.ask('GET', '/v1/videos')).status, 404)
      assert.deepEqual(Object.keys(JSON.parse((await server.ask('GET', `/v1/videos/${UNKNOWN_ID}`)).text)), [
        'code',
        'error',
      ])
    })
  })

  describe('who may ask', () => {
    const routes: readonly (readonly [method: string, path: string])[] = [
      ['POST', VIDEOS],
      ['GET', VIDEOS],
      ['GET', `${VIDEOS}/${UNKNOWN_ID}`],
      ['GET', `${VIDEOS}/${UNKNOWN_ID}/content`],
      ['DELETE', `${VIDEOS}/${UNKNOWN_ID}`],
      ['POST', `${VIDEOS}/${UNKNOWN_ID}/remix`],
      ['POST', `${VIDEOS}/edits`],
      ['POST', `${VIDEOS}/extensions`],
    ]
    for (const [method, path] of routes) {
      test(`${method} ${path.replace(UNKNOWN_ID, 'video_…')}: nobody without a good key`, async () => {
        const ask = method === 'POST' ? form(CHEAP) : {}
        const missing = await server.ask(method, path, { ...ask, key: null })
        assertRefused(missing, { status: 401, code: 'missing_api_key', param: null, says: [/key/i] })
        const wrong = await server.ask(method, path, { ...ask, key: `rly_live_${'x'.repeat(32)}` })
        assertRefused(wrong, { status: 401, code: 'invalid_api_key', param: null, says: [/key/i] })
      })
    }

    test('another account’s video, an unknown and a malformed id are all not found, and the video stays', async () => {
      const [owner, stranger] = [await account(), await account()]
      const { id } = await create(server, { prompt: 'snow', seconds: '1', size: '480x480' }, { key: owner.key })
      assert.equal((await waitForEnd(server, id, { key: owner.key })).status, 'completed')
      for (const key of [stranger.key, owner.testKey]) {
        for (const asked of [id, UNKNOWN_ID, 'video_x', `${id}0`, id.toUpperCase()]) {
          assertRefused(await server.ask('GET', `${VIDEOS}/${asked}`, { key }), NOT_FOUND)
          assertRefused(await server.ask('GET', `${VIDEOS}/${asked}/content`, { key }), NOT_FOUND)
          assertRefused(await server.ask('DELETE', `${VIDEOS}/${asked}`, { key }), NOT_FOUND)
        }
        assert.deepEqual(pageOf(await server.ask('GET', `${VIDEOS}?after=${id}&order=asc`, { key })).data, [])
      }
      assert.equal((await content(id, { key: owner.key })).status, 200)
    })

    test('an account with no credits left may still read, list and delete', async () => {
      const { key } = await account(28)
      const { id } = await create(server, SLOW, { key })
      assert.equal(await rivya.credits(server, { key }), 0)
      assert.equal((await get(server, id, { key })).id, id)
      assert.equal(pageOf(await server.ask('GET', VIDEOS, { key })).data.length, 1)
      await remove(server, id, { key })
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
