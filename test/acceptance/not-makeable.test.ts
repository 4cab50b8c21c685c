/** What no configured provider can ever take is the caller's to change: refused by its field, and never as unavailable. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { credits } from './rivya.ts'

const PROMPT = 'a quiet sea'
const MODEL = 'grok-imagine-video'

/** A server that makes plain clips of one picture at most, in the one mode that its API has. */
const GPU = { kind: 'openai-videos', baseUrl: 'http://127.0.0.1:9/v1' }

type Case = readonly [what: string, path: string, body: (url: string) => object, says: RegExp]

const CASES: readonly Case[] = [
  [
    'a mode, in rivya',
    '/api/v1/generations',
    () => ({ model: MODEL, prompt: PROMPT, params: { mode: 'fun' } }),
    /"validation_failed","message":"params\.mode cannot be \\"fun\\"; allowed: one of normal/,
  ],
  [
    'a mode, in grokimagineapi',
    '/v1/generate',
    () => ({ prompt: PROMPT, mode: 'fun', ratio: '2:3' }),
    /The mode parameter cannot be \\"fun\\"; allowed: one of normal.*"INVALID_REQUEST"/,
  ],
  [
    'a mode beside a picture, which is not fetched',
    '/v1/generate',
    (url) => ({ prompt: PROMPT, mode: 'fun', images: [url] }),
    /mode parameter cannot be \\"fun\\"/,
  ],
  [
    'pictures to go by, in xai',
    '/v1/videos/generations',
    (url) => ({ prompt: PROMPT, reference_images: [{ url }] }),
    /"invalid-argument","error":"reference_images.* cannot be used: no provider of this installation takes such a file/,
  ],
  [
    'pictures to go by, in acedata',
    '/grok/videos',
    (url) => ({ prompt: PROMPT, reference_image_urls: [url], async: true }),
    /"bad_request","message":"reference_image_urls.* no provider of this installation/,
  ],
  [
    'an edit, in xai',
    '/v1/videos/edits',
    (url) => ({ prompt: PROMPT, video: { url } }),
    /"invalid-argument","error":"model cannot be .*no provider of this installation can edit videos/,
  ],
  [
    'an edit, in openai',
    '/openai/v1/videos/edits',
    () => ({ prompt: PROMPT, video: { id: `task_${'0'.repeat(32)}` } }),
    /no provider of this installation can edit videos.*"param":"model","code":"invalid_value"/,
  ],
]

describe('a request that no configured provider can take', () => {
  let receiver: Receiver
  let gateway: Gateway
  before(async () => {
    receiver = await startReceiver(404)
    gateway = await startGateway({ providers: { gpu: GPU }, models: { '*': { providers: ['gpu'] } } })
  })
  after(async () => {
    await gateway?.[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  for (const [what, path, body, says] of CASES) {
    test(`is refused by its field in the dialect's words: ${what}`, async () => {
      const { server } = gateway
      const balance = await credits(server)
      const answer = await server.ask('POST', path, { body: body(`${receiver.url}/picture.png`) })
      assert.equal(answer.status, 400, answer.text)
      assert.match(answer.text, says)
      assert.equal(answer.headers.get('retry-after'), null)
      assert.equal(receiver.connections(), 0, 'nothing is fetched for it')
      assert.equal(await credits(server), balance)
    })
  }

  test('is taken by test credits where the free renderer can make it, and refused by the same words where not', async () => {
    const { key, testKey } = await gateway.server.createAccount({ credits: 100 })
    const body = { model: MODEL, prompt: 'sandbox:fail', params: { mode: 'fun' } }
    assert.equal((await gateway.server.ask('POST', '/api/v1/generations', { key, body })).status, 400)
    const free = await gateway.server.ask('POST', '/api/v1/generations', { key: testKey, body })
    assert.notEqual(free.status, 400, free.text)
  })

  test('a model that has no provider at all is refused as such', async () => {
    const other = { providers: { gpu: GPU }, models: { 'grok-imagine-video-1.5': { providers: ['gpu'] } } }
    assert.equal(await gateway.reload(other), 'taken')
    const body = { model: MODEL, prompt: PROMPT }
    const answer = await gateway.server.ask('POST', '/api/v1/generations', { body })
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.text, /model cannot be \\"grok-imagine-video\\": no provider of this installation makes/)
  })
})
