/** The vendor's npm client, unmodified (`@ai-sdk/xai` with `ai`), against Reelay with a changed base URL and key. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createXai } from '@ai-sdk/xai'
import { experimental_generateVideo as generateVideo } from 'ai'
import { startServer, type TestServer } from '../support/server.ts'
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

  test('is told that pictures are not offered yet', async () => {
    const xai = createXai({ apiKey: server.key, baseURL: `${server.url}/v1` })
    const image = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    const asked = generateVideo({ model: xai.video('grok-imagine-video'), prompt: { image, text: 'x' }, maxRetries: 0 })
    await assert.rejects(asked, /invalid-argument: image cannot be used: .*not offered/)
    const edit = { xai: { ...PROVIDER_OPTIONS.xai, videoUrl: 'https://cdn.example.com/a.mp4' } }
    const edited = { model: xai.video('grok-imagine-video'), prompt: 'x', providerOptions: edit, maxRetries: 0 }
    await assert.rejects(generateVideo(edited), /Editing videos is not offered/)
    const extend = { xai: { ...edit.xai, mode: 'extend-video' } }
    await assert.rejects(generateVideo({ ...edited, providerOptions: extend }), /Extending videos is not offered/)
  })
})
