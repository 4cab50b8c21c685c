/** The vendor's npm client, unmodified (`openai`), against Reelay with a changed base URL and key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, toFile } from 'openai'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { clip, colourOf, dataUri, picture, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'
import { readVideoFile } from './video-file.ts'

type Video = OpenAI.Videos.Video

/** The client's types know its vendor's models alone; what it sends is as it was given. */
const seconds = (text: string) => text as OpenAI.Videos.VideoSeconds
const size = (text: string) => text as OpenAI.Videos.VideoSize
const SMALL = { seconds: seconds('1'), size: size('480x480') }

describe('openai', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
  })
  after(() => server.stop())

  /** A client with an account of its own, and how many requests it has sent. */
  async function client(credits = 1_000): Promise<{ openai: OpenAI; key: string; sent: () => number }> {
    const { key } = await server.createAccount({ credits })
    let sent = 0
    const counting: typeof fetch = (...about) => {
      sent += 1
      return fetch(...about)
    }
    const openai = new OpenAI({ apiKey: key, baseURL: `${server.url}/openai/v1`, fetch: counting })
    return { openai, key, sent: () => sent }
  }

  function waitForEnd(openai: OpenAI, id: string): Promise<Video> {
    return waitFor(`${id} to end`, async () => {
      const video = await openai.videos.retrieve(id)
      return video.status === 'completed' || video.status === 'failed' ? video : undefined
    })
  }

  test('creates, retrieves, downloads each variant, and deletes', async () => {
    const { openai, key } = await client()
    const made = await openai.videos.create({
      model: 'grok-imagine-video',
      prompt: 'Ein Wal über den Wolken 🐋',
      seconds: '4',
      size: '1280x720',
    })
    assert.equal(made.status, 'queued')
    assert.ok(made._request_id?.startsWith('req_'))
    const video = await waitForEnd(openai, made.id)
    assert.deepEqual(
      [video.status, video.progress, video.prompt, video.seconds, video.size, video.error],
      ['completed', 100, 'Ein Wal über den Wolken 🐋', '4', '1280x720', null],
    )
    assert.equal(await rivya.credits(server, { key }), 1_000 - 4 * 7)

    const content = await openai.videos.downloadContent(video.id)
    assert.equal(content.headers.get('content-type'), 'video/mp4')
    const file = await readVideoFile(new Uint8Array(await content.arrayBuffer()))
    assert.deepEqual([file.width, file.height, file.durationSeconds], [1280, 720, 4])
    const sizes: number[] = []
    for (const variant of ['thumbnail', 'spritesheet'] as const) {
      const picture = await openai.videos.downloadContent(video.id, { variant })
      assert.equal(picture.headers.get('content-type'), 'image/jpeg')
      sizes.push((await picture.arrayBuffer()).byteLength)
    }
    assert.ok(sizes.every((bytes) => bytes > 1_000) && sizes[0] !== sizes[1])

    const gone = await openai.videos.delete(video.id)
    assert.deepEqual([gone.id, gone.deleted, gone.object], [video.id, true, 'video.deleted'])
    await assert.rejects(openai.videos.retrieve(video.id), NotFoundError)
    await assert.rejects(openai.videos.downloadContent(video.id), NotFoundError)
    assert.deepEqual((await openai.videos.list()).data, [])
  })

  test('lists page by page, in both orders, without being asked', async () => {
    const { openai } = await client()
    const made: string[] = []
    for (let count = 0; count < 5; count++) made.push((await openai.videos.create({ prompt: 'sandbox:fail' })).id)
    const listed = async (query: OpenAI.Videos.VideoListParams) => {
      const ids: string[] = []
      for await (const video of openai.videos.list(query)) ids.push(video.id)
      return ids
    }
    assert.deepEqual(await listed({ limit: 2 }), made.toReversed())
    assert.deepEqual(await listed({ limit: 2, order: 'asc' }), made)
    assert.deepEqual(await listed({ limit: 2, order: 'asc', after: made[2] ?? '' }), made.slice(3))
  })

  test('starts from a picture, given as a file, by URL and by id', async () => {
    const { openai, key } = await client()
    const red = await picture('red')
    const input_reference = await toFile(red, 'first.png', { type: 'image/png' })
    const made = await openai.videos.create({ ...SMALL, prompt: 'it falls', input_reference })
    assert.equal((await waitForEnd(openai, made.id)).status, 'completed')
    assert.equal(await colourOf(server, made.id, key), 'red')
    const file = await upload(server, { kind: 'image', bytes: red, key })
    for (const byName of [{ image_url: file.url }, { image_url: dataUri(red) }, { file_id: file.id }]) {
      const { status } = await openai.videos.create({ prompt: 'sandbox:fail', input_reference: byName })
      assert.equal(status, 'queued')
    }
  })

  test('remixes, edits and extends, by id and with a file of its own', async () => {
    const { openai } = await client()
    const made = await openai.videos.create({ prompt: 'snow', seconds: seconds('2'), size: size('480x480') })
    const { id } = await waitForEnd(openai, made.id)
    const remix = await openai.videos.remix(id, { prompt: 'at night' })
    assert.equal(remix.remixed_from_video_id, id)
    const file = () => clip(2).then((bytes) => toFile(bytes, 'a.mp4', { type: 'video/mp4' }))
    const extended = await openai.videos.extend({ prompt: 'and on', seconds: seconds('2'), video: { id } })
    const edited = await openai.videos.edit({ prompt: 'in ink', video: await file() })
    const endings: unknown[] = []
    for (const each of [remix, extended, edited]) {
      const { status, seconds, size } = await waitForEnd(openai, each.id)
      endings.push([status, seconds, size])
    }
    assert.deepEqual(endings, [
      ['completed', '2', '480x480'],
      ['completed', '4', '480x480'],
      ['completed', '2', '160x90'],
    ])
    const prompt = 'sandbox:fail'
    assert.equal((await openai.videos.edit({ prompt, video: { id } })).remixed_from_video_id, id)
    const brought = await openai.videos.extend({ prompt, seconds: '4', video: await file() })
    assert.deepEqual([brought.seconds, brought.remixed_from_video_id], ['6', null])
  })

  const endings: readonly (readonly [prompt: string, code: string])[] = [
    ['sandbox:fail', 'generation_failed'],
    ['sandbox:moderated', 'moderation_blocked'],
    ['sandbox:expire', 'expired'],
  ]
  for (const [prompt, code] of endings) {
    test(`reads the outcome of ${prompt}`, async () => {
      const { openai, key } = await client()
      const video = await waitForEnd(openai, (await openai.videos.create({ prompt })).id)
      assert.deepEqual([video.status, video.error?.code, video.completed_at], ['failed', code, null])
      await assert.rejects(openai.videos.downloadContent(video.id), NotFoundError)
      assert.equal(await rivya.credits(server, { key }), 1_000)
    })
  }

  test('reads our refusals, and repeats none that would be refused again', async () => {
    const { openai, sent } = await client(10)
    const refused = async (asked: PromiseLike<unknown>): Promise<APIError> => {
      const before = sent()
      const error: unknown = await Promise.resolve(asked).then(
        () => assert.fail('it was not refused'),
        (reason: unknown) => reason,
      )
      assert.equal(sent() - before, 1, 'one request')
      assert.ok(error instanceof APIError)
      assert.ok(error.requestID?.startsWith('req_'))
      return error
    }
    const poor = await refused(openai.videos.create({ prompt: 'a sea' }))
    assert.deepEqual([poor.status, poor.code, poor.type], [402, 'insufficient_quota', 'insufficient_quota'])
    const size = await refused(openai.videos.create({ prompt: 'a sea', size: '1024x1792' }))
    assert.ok(size instanceof BadRequestError)
    assert.deepEqual([size.code, size.param], ['invalid_value', 'size'])
    const image = await toFile(new Uint8Array(300_000), 'first.png', { type: 'image/png' })
    const reference = await refused(openai.videos.create({ prompt: 'a sea', input_reference: image }))
    assert.deepEqual([reference.status, reference.param], [400, 'input_reference'])
    const byUrl = { image_url: 'https://10.0.0.1/a.png' }
    const url = await refused(openai.videos.create({ prompt: 'a sea', input_reference: byUrl }))
    assert.deepEqual([url.status, url.param], [400, 'input_reference[image_url]'])
    const id = `video_${'0'.repeat(32)}`
    assert.ok((await refused(openai.videos.remix(id, { prompt: 'x' }))) instanceof NotFoundError)
    const edit = await refused(openai.videos.edit({ prompt: 'x', video: { id } }))
    assert.deepEqual([edit.status, edit.param], [400, 'video[id]'])
    const extend = await refused(openai.videos.extend({ prompt: 'x', seconds: '12', video: { id } }))
    assert.deepEqual([extend.status, extend.param], [400, 'seconds'])
    assert.ok((await refused(openai.videos.retrieve(id))) instanceof NotFoundError)
    assert.match((await refused(openai.videos.list({ after: 'nonsense' }))).message, /after cannot be "nonsense"/)
    const stranger = new OpenAI({ apiKey: 'rly_live_wrong', baseURL: `${server.url}/openai/v1` })
    await assert.rejects(stranger.videos.list(), AuthenticationError)
  })
})
