/** The vendor's npm client, unmodified (`@ai-sdk/xai` with `ai`), against Reelay with a changed base URL and key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createXai } from '@ai-sdk/xai'
import { experimental_generateVideo as generateVideo, type JSONValue } from 'ai'
import { startServer, type TestServer } from '../support/server.ts'
import { type Bytes, clip, dataUri, picture, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'

const PROVIDER_OPTIONS = { xai: { pollIntervalMs: 50 } }

describe('@ai-sdk/xai', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
  })
  after(() => server.stop())

  /** The client's own download refuses loopback addresses, where a test has its server. */
  const downloadFrom = async ({ url }: { url: URL }) => ({ data: await download(url.href), mediaType: 'video/mp4' })

  function generate(prompt: string, about: { key?: string; base?: string; model?: string } = {}) {
    const { key = server.key, base = '/v1', model = 'grok-imagine-video' } = about
    const xai = createXai({ apiKey: key, baseURL: `${server.url}${base}` })
    return generateVideo({
      model: xai.video(model),
      prompt,
      duration: 2,
      aspectRatio: '16:9',
      resolution: '854x480',
      providerOptions: PROVIDER_OPTIONS,
      maxRetries: 0,
      download: downloadFrom,
    })
  }

  for (const base of ['/v1', '/xai/v1']) {
    test(`makes a video at ${base}, and is told its price`, async () => {
      const { video, warnings, providerMetadata } = await generate('A lighthouse in the rain', { base })
      assert.deepEqual(warnings, [])
      assert.equal(video.mediaType, 'video/mp4')
      const { width, height, durationSeconds } = await readVideoFile(new Uint8Array(video.uint8Array))
      assert.deepEqual({ width, height, durationSeconds }, { width: 854, height: 480, durationSeconds: 2 })
      const { duration, costInUsdTicks, progress } = providerMetadata['xai'] ?? {}
      assert.deepEqual([duration, costInUsdTicks, progress], [2, 1_000_000_000, 100])
    })
  }

  const endings: readonly (readonly [prompt: string, error: { name: string; message: RegExp }])[] = [
    ['sandbox:fail', { name: 'XAI_VIDEO_GENERATION_FAILED', message: /failed/ }],
    ['sandbox:moderated', { name: 'XAI_VIDEO_MODERATION_ERROR', message: /content policy/ }],
    ['sandbox:expire', { name: 'XAI_VIDEO_GENERATION_EXPIRED', message: /expired/ }],
  ]
  for (const [prompt, error] of endings) {
    test(`is told the outcome of ${prompt} in its own words, once, at no cost`, async () => {
      const { key } = await server.createAccount({ credits: 100 })
      await assert.rejects(generate(prompt, { key }), error)
      assert.equal(await rivya.credits(server, { key }), 100)
      assert.equal(rivya.pageOf(await server.ask('GET', '/api/v1/generations', { key })).data.length, 1)
    })
  }

  test('reads our refusals: the code, and what is wrong', async () => {
    await assert.rejects(generate('a sea', { model: 'grok-3' }), /not-found: model cannot be "grok-3"/)
    await assert.rejects(generate(''), /invalid-argument: prompt is empty/)
    await assert.rejects(generate('a sea', { key: 'rly_live_wrong' }), /invalid-argument: .*key/i)
    const { key } = await server.createAccount({ credits: 1 })
    await assert.rejects(generate('a sea', { key }), /permission-denied: .*costs 10 credits; 1 are available/)
  })

  test('may put options of its own into the body', async () => {
    const xai = createXai({ apiKey: server.key, baseURL: `${server.url}/v1` })
    const options = { xai: { ...PROVIDER_OPTIONS.xai, somethingNew: { deep: true }, user: 'customer-7' } }
    const { video } = await generateVideo({
      model: xai.video('grok-imagine-video-1.5'),
      prompt: 'snow',
      duration: 1,
      providerOptions: options,
      maxRetries: 0,
      download: downloadFrom,
    })
    assert.ok(video.uint8Array.length > 1_000)
  })

  type Prompt = Parameters<typeof generateVideo>[0]['prompt']

  /** A video of 1 s at the given model's default ratio, by whatever the client makes of these options. */
  async function generateFrom(
    prompt: Prompt,
    options: {
      duration?: number
      aspectRatio?: '1:1'
      xai?: Record<string, JSONValue>
      frames?: readonly Bytes[]
    } = {},
  ) {
    const xai = createXai({ apiKey: server.key, baseURL: `${server.url}/v1` })
    const { frames = [], duration, aspectRatio } = options
    const { video, warnings, providerMetadata } = await generateVideo({
      model: xai.video('grok-imagine-video'),
      prompt,
      ...(duration === undefined ? {} : { duration }),
      ...(aspectRatio === undefined ? {} : { aspectRatio }),
      ...(frames.length === 0 ? {} : { inputReferences: [...frames] }),
      providerOptions: { xai: { ...PROVIDER_OPTIONS.xai, ...options.xai } },
      maxRetries: 0,
      download: downloadFrom,
    })
    assert.deepEqual(warnings, [])
    const { width, height, durationSeconds } = await readVideoFile(new Uint8Array(video.uint8Array))
    return { width, height, durationSeconds, told: providerMetadata['xai']?.['duration'] }
  }

  test('animates a picture, which it sends in a data URI', async () => {
    const made = await generateFrom({ image: await picture('red'), text: 'it falls' }, { duration: 1 })
    assert.deepEqual(made, { width: 480, height: 854, durationSeconds: 1, told: 1 })
  })

  test('goes by reference pictures, by their URLs and in data URIs', async () => {
    const red = await picture('red')
    const { url } = await upload(server, { kind: 'image', bytes: red })
    const square = { duration: 1, aspectRatio: '1:1' } as const
    const expected = { width: 480, height: 480, durationSeconds: 1, told: 1 }
    const referenceImageUrls = [url, dataUri(red)]
    const xai = { mode: 'reference-to-video', referenceImageUrls }
    assert.deepEqual(await generateFrom('<IMAGE_1> and <IMAGE_2>', { ...square, xai }), expected)
    assert.deepEqual(await generateFrom('<IMAGE_1>', { ...square, frames: [red] }), expected)
  })

  test('edits and extends a video', async () => {
    const { url } = await upload(server, { kind: 'video', bytes: await clip(2) })
    const edited = await generateFrom('in ink', { xai: { mode: 'edit-video', videoUrl: url } })
    assert.deepEqual(edited, { width: 160, height: 90, durationSeconds: 2, told: 2 })
    const extended = await generateFrom('and on', { duration: 2, xai: { mode: 'extend-video', videoUrl: url } })
    assert.deepEqual([extended.width, extended.height, extended.told], [160, 90, 4])
    assert.ok(Math.abs(extended.durationSeconds - 4) < 0.1)
  })

  test('is told what is wrong with a file', async () => {
    const image = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    await assert.rejects(generateFrom({ image, text: 'x' }), /invalid-argument: image\.url cannot be used: .*PNG/)
    const long = { mode: 'edit-video', videoUrl: dataUri(await clip(9), 'video/mp4') }
    await assert.rejects(generateFrom('x', { xai: long }), /video\.url cannot be used: .*9 s.*8\.7 s/)
    const voice = { mode: 'reference-to-video', referenceImageUrls: ['https://a.example'], referenceVoiceIds: ['v'] }
    await assert.rejects(generateFrom('x', { xai: voice }), /reference_audios cannot be used: .*not offered/)
  })
})
