/** Pictures and videos that are brought to the xAI dialect: every form, every documented limit. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { type Bytes, clip, colourOf, dataUri, picture, serving, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'
import { assertRefused, GENERATIONS, generate, requestIdOf, waitForEnd, type XaiStatus } from './xai.ts'

const EDITS = '/v1/videos/edits'
const EXTENSIONS = '/v1/videos/extensions'
const UNKNOWN_FILE = `file_${'0'.repeat(32)}`

/** Costs no rendering. */
const CHEAP = 'sandbox:fail'

describe('references of the xAI dialect', () => {
  let server: TestServer
  let red: Bytes
  let clips: Readonly<Record<1 | 2 | 9 | 16, Bytes>>
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: '127.0.0.0/8' } })
    red = await picture('red')
    clips = { 1: await clip(1), 2: await clip(2, { sound: 'silence' }), 9: await clip(9), 16: await clip(16) }
  })
  after(() => server.stop())

  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  /** A video that is done, and its file. */
  async function done(id: string, key: string) {
    const ended = await waitForEnd(server, id, { key })
    assert.equal(ended.status, 'done', JSON.stringify(ended))
    const { video, usage } = ended as Extract<XaiStatus, { status: 'done' }>
    return { ...video, usage, file: await readVideoFile(await download(video.url)) }
  }

  async function create(path: string, body: unknown, key: string): Promise<string> {
    return requestIdOf(await server.ask('POST', path, { key, body }))
  }

  describe('a generation', () => {
    test('starts from a picture, in its shape, without a prompt, and costs the picture as well', async () => {
      const { key } = await account()
      const id = await generate(server, { image: { url: dataUri(red) }, duration: 1 }, { key })
      const { duration, usage, file } = await done(id, key)
      assert.deepEqual([file.width, file.height, file.durationSeconds, duration], [480, 854, 1, 1])
      assert.equal(await colourOf(server, id, key), 'red')
      // 5 credits a second, and 0.2 for the picture, rounded up.
      assert.equal(usage.cost_in_usd_ticks, 600_000_000)
      assert.equal(await rivya.credits(server, { key }), 994)
    })

    test('takes a picture by URL, by the id of a file, and by its link', async () => {
      const { key } = await account()
      const file = await upload(server, { kind: 'image', bytes: red, key })
      await using site = await serving(red)
      for (const image of [{ url: `${site.url}/a.png` }, { file_id: file.id }, { url: file.url }]) {
        await generate(server, { image, prompt: CHEAP }, { key })
      }
      assert.equal(site.received.length, 1, 'what is ours is not fetched')
    })

    test('goes by several pictures, in the ratio that was asked for', async () => {
      const { key } = await account()
      const reference_images = [
        { url: dataUri(red) },
        { url: dataUri(await picture('red', { format: 'webp' }), 'image/webp') },
      ]
      const body = { prompt: '<IMAGE_1> beside <IMAGE_2>', reference_images, duration: 1, aspect_ratio: '1:1' }
      const id = await generate(server, body, { key })
      const { file } = await done(id, key)
      assert.deepEqual([file.width, file.height], [480, 480])
      assert.equal(await colourOf(server, id, key), 'red')
    })

    test('ends with a picture, with the model that can', async () => {
      const { key } = await account()
      const last_frame = { url: dataUri(await picture('red', { format: 'jpeg' }), 'image/jpeg') }
      const body = { model: 'grok-imagine-video-1.5', image: { url: dataUri(red) }, last_frame, duration: 1 }
      const id = await generate(server, body, { key })
      assert.equal((await done(id, key)).duration, 1)
      assert.equal(await colourOf(server, id, key), 'red')
      // 8 credits a second, and 1 for each picture.
      assert.equal(await rivya.credits(server, { key }), 990)
    })

    test('that is repeated with its key is made once, and is another one with another picture', async () => {
      const { key } = await account()
      const headers = { 'idempotency-key': 'again' }
      const body = { image: { url: dataUri(red) }, prompt: CHEAP }
      const id = await generate(server, body, { key, headers })
      assert.equal(await generate(server, body, { key, headers }), id)
      const other = { ...body, image: { url: dataUri(await picture('blue')) } }
      const refused = await server.ask('POST', GENERATIONS, { key, headers, body: other })
      assertRefused(refused, { status: 400, code: 'already-exists', says: ['Idempotency-Key'] })
    })
  })

  describe('an edit', () => {
    test('is as long and as large as its source, and costs the source as well', async () => {
      const { key } = await account()
      const { id: file_id } = await upload(server, { kind: 'video', bytes: clips[2], key })
      const { duration, file } = await done(
        await create(EDITS, { prompt: 'make it rain', video: { file_id } }, key),
        key,
      )
      assert.deepEqual([file.width, file.height, file.durationSeconds, duration], [160, 90, 2, 2])
      // 5 credits a second of the edit, 1 a second of the source.
      assert.equal(await rivya.credits(server, { key }), 1_000 - 12)
    })

    test('takes a video by URL, in a data URI, and the link of one that was made here', async () => {
      const { key } = await account()
      const made = await done(await generate(server, { prompt: 'snow', duration: 1 }, { key }), key)
      await using site = await serving(clips[1], 'video/mp4')
      const urls = [`${site.url}/a.mp4`, dataUri(clips[1], 'video/mp4'), made.url]
      for (const url of urls) await create(EDITS, { prompt: CHEAP, video: { url }, anything: 'else' }, key)
      assert.equal(site.received.length, 1)
    })
  })

  describe('an extension', () => {
    test('holds the source and what comes next, and its duration is that of both', async () => {
      const { key } = await account()
      const video = { url: dataUri(clips[2], 'video/mp4') }
      const id = await create(EXTENSIONS, { prompt: 'and on', video, duration: 2 }, key)
      const { duration, file } = await done(id, key)
      assert.deepEqual([file.width, file.height, duration], [160, 90, 4])
      assert.ok(Math.abs(file.durationSeconds - 4) < 0.1, `it is ${file.durationSeconds} s long`)
      assert.equal(await rivya.credits(server, { key }), 1_000 - 12)
    })

    test('adds 6 s where no duration was sent', async () => {
      const { key } = await account()
      await create(EXTENSIONS, { prompt: 'sandbox:slow=600', video: { url: dataUri(clips[2], 'video/mp4') } }, key)
      assert.equal(await rivya.credits(server, { key }), 1_000 - 6 * 5 - 2)
    })

    test('is another request than an edit with the same body and key', async () => {
      const { key } = await account()
      const about = {
        key,
        headers: { 'idempotency-key': 'same' },
        body: { prompt: CHEAP, video: { url: dataUri(clips[2], 'video/mp4') } },
      }
      requestIdOf(await server.ask('POST', EDITS, about))
      const refused = await server.ask('POST', EXTENSIONS, about)
      assertRefused(refused, { status: 400, code: 'already-exists', says: ['Idempotency-Key'] })
    })
  })

  describe('what is refused, at no cost', () => {
    const image = () => ({ url: dataUri(red) })
    const images = (count: number) => Array.from({ length: count }, image)
    const mp4 = (seconds: 1 | 2 | 9 | 16) => ({ url: dataUri(clips[seconds], 'video/mp4') })
    const P = { prompt: CHEAP }
    const cases: readonly (readonly [name: string, path: string, body: () => unknown, ...says: (string | RegExp)[]])[] =
      [
        [
          'a picture and references',
          GENERATIONS,
          () => ({ ...P, image: image(), reference_images: images(1) }),
          'image.url',
          'reference_images.0.url',
        ],
        ['8 references', GENERATIONS, () => ({ ...P, reference_images: images(8) }), 'reference_images', 'at most 7'],
        [
          '11 s with references',
          GENERATIONS,
          () => ({ ...P, reference_images: images(1), duration: 11 }),
          'duration cannot be 11',
          'at most 10 seconds with reference_images',
        ],
        [
          '15 references of 1.5',
          GENERATIONS,
          () => ({ ...P, model: 'grok-imagine-video-1.5', reference_images: images(15) }),
          'at most 14',
        ],
        [
          '1080p with references of 1.5',
          GENERATIONS,
          () => ({ ...P, model: 'grok-imagine-video-1.5', reference_images: images(1), resolution: '1080p' }),
          'resolution cannot be "1080p"',
          'one of 480p, 720p with reference_images',
        ],
        ['a last frame of the base model', GENERATIONS, () => ({ ...P, last_frame: image() }), 'last_frame.url'],
        [
          'a GIF',
          GENERATIONS,
          () => ({ ...P, image: { url: 'data:image/gif;base64,R0lGODlhAQABAAAAACw=' } }),
          'image.url',
          'GIF',
        ],
        [
          'SVG that is called PNG',
          GENERATIONS,
          () => ({
            ...P,
            image: { url: `data:image/png;base64,${btoa('<svg xmlns="http://www.w3.org/2000/svg"/>')}` },
          }),
          'image.url',
          'SVG',
        ],
        ['a video for a picture', GENERATIONS, () => ({ ...P, image: mp4(1) }), 'image.url', 'video/mp4', 'image/png'],
        ['a private address', GENERATIONS, () => ({ ...P, image: { url: 'https://10.0.0.1/a.png' } }), 'image.url'],
        ['what is no URL', GENERATIONS, () => ({ ...P, image: { url: 'a.png' } }), 'image.url'],
        [
          'an unknown file',
          GENERATIONS,
          () => ({ ...P, image: { file_id: UNKNOWN_FILE } }),
          'image.file_id',
          'no file',
        ],
        ['what is no id', GENERATIONS, () => ({ ...P, image: { file_id: 'x' } }), 'image.file_id', 'no file'],
        ['sounds', GENERATIONS, () => ({ ...P, reference_audios: [] }), 'reference_audios', 'not offered'],
        ['an edit by 1.5', EDITS, () => ({ ...P, model: 'grok-imagine-video-1.5', video: mp4(2) }), 'cannot edit'],
        ['an edit of 9 s', EDITS, () => ({ ...P, video: mp4(9) }), 'video.url', '9 s', '8.7 s'],
        ['an edit with a duration', EDITS, () => ({ ...P, video: mp4(2), duration: 2 }), 'duration cannot be used'],
        ['an edit with a ratio', EDITS, () => ({ ...P, video: mp4(2), aspect_ratio: '1:1' }), 'aspect_ratio'],
        ['an edit with a resolution', EDITS, () => ({ ...P, video: mp4(2), resolution: '480p' }), 'resolution'],
        ['an edit of a picture', EDITS, () => ({ ...P, video: image() }), 'video.url', 'image/png', 'video/mp4'],
        ['an edit without a prompt', EDITS, () => ({ video: mp4(2) }), 'prompt is required'],
        ['an edit without a video', EDITS, () => P, 'video is required'],
        ['an extension of 1 s', EXTENSIONS, () => ({ ...P, video: mp4(1) }), 'video.url', '1 s', '2 to 15 s'],
        ['an extension of 16 s', EXTENSIONS, () => ({ ...P, video: mp4(16) }), 'video.url', '16 s', '2 to 15 s'],
        [
          'an extension by 1 s',
          EXTENSIONS,
          () => ({ ...P, video: mp4(2), duration: 1 }),
          'duration cannot be 1',
          '2 to 10',
        ],
        ['an extension by 11 s', EXTENSIONS, () => ({ ...P, video: mp4(2), duration: 11 }), 'duration', '2 to 10'],
        [
          'an extension by 1.5',
          EXTENSIONS,
          () => ({ ...P, model: 'grok-imagine-video-1.5', video: mp4(2) }),
          'cannot extend',
        ],
      ]
    for (const [name, path, body, ...says] of cases) {
      test(`${name}: 400 invalid-argument`, async () => {
        const { key } = await account(100)
        const answer = await server.ask('POST', path, { key, body: body() })
        assertRefused(answer, { status: 400, code: 'invalid-argument', says })
        assert.equal(await rivya.credits(server, { key }), 100)
        assert.deepEqual(rivya.pageOf(await server.ask('GET', '/api/v1/generations', { key })).data, [])
      })
    }

    test('another account’s file and link, as if they were not there', async () => {
      const [owner, stranger] = [await account(), await account(100)]
      const file = await upload(server, { kind: 'image', bytes: red, key: owner.key })
      const made = await done(await generate(server, { prompt: 'snow', duration: 1 }, { key: owner.key }), owner.key)
      const { key } = stranger
      for (const mine of [{ file_id: file.id }, { url: file.url }]) {
        const answer = await server.ask('POST', GENERATIONS, { key, body: { ...P, image: mine } })
        assertRefused(answer, { status: 400, code: 'invalid-argument', says: ['names no file of this account'] })
      }
      const edited = await server.ask('POST', EDITS, { key, body: { ...P, video: { url: made.url } } })
      assertRefused(edited, { status: 400, code: 'invalid-argument', says: ['video.url', 'names no file'] })
      assert.equal(await rivya.credits(server, { key }), 100)
    })

    test('a site that has no such file', async () => {
      const { key } = await account(100)
      await using site = await serving(red)
      site.answer(404)
      const answer = await server.ask('POST', GENERATIONS, { key, body: { ...P, image: { url: site.url } } })
      assertRefused(answer, { status: 400, code: 'invalid-argument', says: ['image.url', '404'] })
      assert.equal(await rivya.credits(server, { key }), 100)
    })

    test('a file for which there are no credits', async () => {
      const { key } = await account(5)
      const answer = await server.ask('POST', GENERATIONS, { key, body: { image: image(), duration: 1 } })
      assertRefused(answer, { status: 403, code: 'permission-denied', says: ['costs 6', '5 are available'] })
    })
  })

  test('logged no fault of its own', () => rivya.assertNoFaultLogged(server))
})
