/** Pictures that are brought to grokimagineapi: every form, every limit. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import sharp from 'sharp'
import { startServer, type TestServer } from '../support/server.ts'
import { assertRefused, generate, statusOf, waitForEnd } from './grokimagineapi.ts'
import { type Bytes, clip, colourOf, dataUri, picture, serving, upload } from './reference-files.ts'
import * as rivya from './rivya.ts'

/** Costs no rendering. */
const CHEAP = 'sandbox:fail'

describe('images of grokimagineapi', () => {
  let server: TestServer
  let red: Bytes
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16', REELAY_ALLOW_NETS: '127.0.0.0/8' } })
    red = await picture('red')
  })
  after(() => server.stop())

  const keyOf = async (about: { credits?: number; spicyAllowed?: boolean } = {}) =>
    (await server.createAccount({ credits: 400, ...about })).key

  test('make the page’s example work, at the documented price', async () => {
    const key = await keyOf()
    await using site = await serving(red)
    const body = { mode: 'fun', prompt: 'a beautiful landscape', images: [`${site.url}/image.png`], ratio: '1:1' }
    const id = await generate(server, body, { key })
    const ended = await waitForEnd(server, id, { key })
    assert.deepEqual([ended.status, ended.consumed_credits, ended.request], ['completed', 40, body])
    assert.equal(await colourOf(server, id, key), 'red')
  })

  test('may be a text, a list, several and none', async () => {
    const key = await keyOf()
    const { url } = await upload(server, { kind: 'image', bytes: red, key })
    for (const images of [url, [url], [url, dataUri(red)], []]) {
      const id = await generate(server, { prompt: CHEAP, images }, { key })
      assert.equal((await statusOf(server, id, { key })).task_id, id)
    }
  })

  const of = (field: string, rest: string) => new RegExp(`^Invalid request: The ${field} parameter ${rest}`)
  const uris = (count: number) => Array.from({ length: count }, () => dataUri(red))
  const cases: readonly (readonly [name: string, images: () => unknown, message: RegExp])[] = [
    ['eight', () => uris(8), of('images', 'cannot be used: there are too many; allowed: at most 7 files$')],
    ['what is no URL', () => 'a.png', of('images', '.*[^.]$')],
    ['an empty text', () => '', of('images', '.*[^.]$')],
    ['a private address', () => ['https://10.0.0.1/a.png'], of('images.0', '.*')],
    [
      'SVG',
      () => [dataUri(red), `data:image/svg+xml;base64,${btoa('<svg xmlns="http://www.w3.org/2000/svg"/>')}`],
      of('images.1', '.*SVG'),
    ],
    ['a number', () => 7, of('images', 'cannot be 7; allowed: a URL or a list of URLs$')],
  ]
  for (const [name, images, message] of cases) {
    test(`${name}: refused at no cost`, async () => {
      const key = await keyOf()
      const answer = await server.ask('POST', '/v1/generate', { key, body: { prompt: CHEAP, images: images() } })
      assertRefused(answer, { status: 400, error: 'INVALID_REQUEST', message })
      assert.equal(await rivya.credits(server, { key }), 400)
    })
  }

  test('a video for a picture is refused, and so is more than 10 MiB', async () => {
    const refusedWith = async (images: string, message: RegExp) => {
      const answer = await server.ask('POST', '/v1/generate', { body: { prompt: CHEAP, images } })
      assertRefused(answer, { status: 400, error: 'INVALID_REQUEST', message })
    }
    await refusedWith(dataUri(await clip(1), 'video/mp4'), of('images', '.*video/mp4'))
    const side = 1_900
    const raw = { width: side, height: side, channels: 3 } as const
    const noise = await sharp(randomBytes(side * side * 3), { raw })
      .png({ compressionLevel: 0 })
      .toBuffer()
    assert.ok(noise.length > 10_485_760)
    await refusedWith(dataUri(Uint8Array.from(noise)), of('images', '.*allowed: at most 10485760 bytes$'))
  })

  test('another account’s picture is as absent as one that never was', async () => {
    const { url } = await upload(server, { kind: 'image', bytes: red, key: await keyOf() })
    const answer = await server.ask('POST', '/v1/generate', {
      key: await keyOf(),
      body: { prompt: CHEAP, images: [url] },
    })
    assertRefused(answer, { status: 400, error: 'INVALID_REQUEST', message: /names no file of this account/ })
  })

  test('do not go with the mode spicy, here or in Rivya’s words, whatever the account may', async () => {
    const key = await keyOf({ spicyAllowed: true })
    const body = { prompt: CHEAP, mode: 'spicy' }
    await generate(server, body, { key })
    const answer = await server.ask('POST', '/v1/generate', { key, body: { ...body, images: [dataUri(red)] } })
    const message = /The mode parameter cannot be "spicy": it cannot be used with a reference file$/
    assertRefused(answer, { status: 400, error: 'INVALID_REQUEST', message })
    const referenceMediaItems = [{ kind: 'image', url: (await upload(server, { kind: 'image', bytes: red, key })).url }]
    const params = { mode: 'spicy', referenceMediaItems }
    const inRivya = await server.ask('POST', '/api/v1/generations', {
      key,
      body: { model: 'grok-imagine-video', prompt: CHEAP, params },
    })
    rivya.assertRefused(inRivya, { status: 400, code: 'validation_failed', says: ['params.mode', 'reference file'] })
  })

  test('logged no fault of its own', () => rivya.assertNoFaultLogged(server))
})
