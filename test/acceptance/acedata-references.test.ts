/** Pictures that are brought to AceData: every form, every documented limit. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startServer, type TestAccount, type TestServer } from '../support/server.ts'
import { assertRefused, createAsync, retrieve, succeededOf } from './acedata.ts'
import { type Bytes, clip, colourOf, dataUri, picture, serving, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'

const PREVIEW = 'grok-imagine-video-1.5-preview'

/** Costs no rendering. */
const CHEAP = 'sandbox:fail'

describe('pictures of AceData', () => {
  let server: TestServer
  let red: Bytes
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: '127.0.0.0/8' } })
    red = await picture('red')
  })
  after(() => server.stop())

  function account(credits = 1_000): Promise<TestAccount> {
    return server.createAccount({ credits })
  }

  test('make a video without a prompt, in the shape of the picture', async () => {
    const { key } = await account()
    await using site = await serving(red)
    const body = { image_url: `${site.url}/a.png`, duration: 1 }
    const { task_id, data } = succeededOf(await server.ask('POST', '/grok/videos', { key, body }))
    const file = await readVideoFile(await download(data[0].video_url))
    assert.deepEqual([file.width, file.height, file.durationSeconds], [480, 854, 1])
    assert.equal(await colourOf(server, task_id, key), 'red')
    assert.deepEqual((await retrieve(server, task_id, { key })).request, body)
  })

  test('are what the preview of 1.5 needs', async () => {
    const { key } = await account()
    const { url } = await upload(server, { kind: 'image', bytes: red, key })
    const { id } = await createAsync(server, { model: PREVIEW, image_url: url, prompt: CHEAP, duration: 1 }, { key })
    assert.equal((await retrieve(server, id, { key })).id, id)
    const answer = await server.ask('POST', '/grok/videos', { key, body: { model: PREVIEW, prompt: CHEAP } })
    const message = `image_url is required for ${PREVIEW}.`
    assertRefused(answer, { status: 400, code: 'bad_request', message })
  })

  test('in a data URI are not repeated by the task, which says whose they were', async () => {
    const { key } = await account()
    const reference_image_urls = [dataUri(red), dataUri(await picture('blue'))]
    const { id } = await createAsync(server, { prompt: CHEAP, reference_image_urls, duration: 10 }, { key })
    const { request } = await retrieve(server, id, { key })
    const said = request['reference_image_urls']
    assert.ok(Array.isArray(said) && said.length === 2 && said[0] !== said[1])
    for (const text of said) assert.match(String(text), /^data:image\/png;base64,sha256=[0-9a-f]{64}$/)
  })

  const uris = (count: number) => Array.from({ length: count }, () => dataUri(red))
  const cases: readonly (readonly [name: string, body: () => unknown, message: string | RegExp])[] = [
    ['no prompt and no picture', () => ({ duration: 1 }), 'prompt is required for text-to-video.'],
    ['no prompt and an empty list', () => ({ reference_image_urls: [] }), 'prompt is required for text-to-video.'],
    [
      'both kinds',
      () => ({ prompt: CHEAP, image_url: dataUri(red), reference_image_urls: uris(1) }),
      /^image_url cannot be used: it cannot stand beside reference_image_urls\.0;/,
    ],
    [
      'eight references',
      () => ({ prompt: CHEAP, reference_image_urls: uris(8) }),
      'reference_image_urls cannot be used: there are too many; allowed: at most 7 files.',
    ],
    [
      '11 s with references',
      () => ({ prompt: CHEAP, reference_image_urls: uris(1), duration: 11 }),
      /^duration cannot be 11; allowed: at most 10 seconds with reference_image_urls/,
    ],
    [
      'references of the preview of 1.5',
      () => ({ model: PREVIEW, prompt: CHEAP, reference_image_urls: uris(1) }),
      /^reference_image_urls\.0 cannot be used: .* takes no such file; allowed: files in image_url/,
    ],
    ['what is no URL', () => ({ prompt: CHEAP, image_url: 'a.png' }), /^image_url /],
    ['an empty text', () => ({ prompt: CHEAP, image_url: '' }), /^image_url /],
    ['a private address', () => ({ prompt: CHEAP, image_url: 'https://10.0.0.1/a.png' }), /^image_url /],
    [
      'text that is called a picture',
      () => ({ prompt: CHEAP, image_url: `data:image/png;base64,${btoa('just some text')}` }),
      /^image_url .*allowed/,
    ],
  ]
  for (const [name, body, message] of cases) {
    test(`${name}: refused at no cost`, async () => {
      const { key } = await account(100)
      const answer = await server.ask('POST', '/grok/videos', { key, body: body() })
      assertRefused(answer, { status: 400, code: 'bad_request', message })
      assert.equal(await rivya.credits(server, { key }), 100)
    })
  }

  test('a video for a picture, and another account’s picture, are refused', async () => {
    const [owner, stranger] = [await account(), await account()]
    const video = dataUri(await clip(1), 'video/mp4')
    const answer = await server.ask('POST', '/grok/videos', { body: { prompt: CHEAP, image_url: video } })
    assertRefused(answer, { status: 400, code: 'bad_request', message: /^image_url .*video\/mp4.*image\/png/ })
    const { url } = await upload(server, { kind: 'image', bytes: red, key: owner.key })
    const stolen = await server.ask('POST', '/grok/videos', {
      key: stranger.key,
      body: { prompt: CHEAP, image_url: url },
    })
    assertRefused(stolen, { status: 400, code: 'bad_request', message: /^image_url names no file of this account/ })
  })

  test('logged no fault of its own', () => rivya.assertNoFaultLogged(server))
})
