/** A key that was answered is answered again, whatever has become of all that a new request is judged by. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import type { Answer, TestAccount } from '../support/server.ts'
import { picture } from './reference-files.ts'
import { credits } from './rivya.ts'

/** Free: it fails. The rules refuse it, where they are on; a mode that GPU servers do not make. */
const PROMPT = 'sandbox:fail a nude child'

/** A create in each dialect, with what stands for the task in its answers; bodies with a picture have their URL filled in. */
const CREATES: readonly (readonly [name: string, path: string, body: (picture: string) => object])[] = [
  ['rivya', '/api/v1/generations', () => ({ model: 'grok-imagine-video', prompt: PROMPT, params: { mode: 'fun' } })],
  [
    'rivya, spicy',
    '/api/v1/generations',
    () => ({ model: 'grok-imagine-video', prompt: PROMPT, params: { mode: 'spicy' } }),
  ],
  ['grokimagineapi', '/v1/generate', () => ({ prompt: PROMPT, mode: 'fun', ratio: '2:3' })],
  ['acedata', '/grok/videos', () => ({ prompt: PROMPT, async: true })],
  ['xai', '/v1/videos/generations', () => ({ model: 'grok-imagine-video', prompt: PROMPT })],
  ['xai, with a picture', '/v1/videos/generations', (url) => ({ prompt: PROMPT, image: { url } })],
  ['openai', '/openai/v1/videos', () => ({ prompt: PROMPT })],
  ['openai, with a picture', '/openai/v1/videos', (url) => ({ prompt: PROMPT, input_reference: { image_url: url } })],
]

function idOf({ text }: Answer): string {
  const id = /(?:task|video)?_?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/.exec(text)?.[0]
  assert.ok(id !== undefined, text)
  return id
}

describe('a request that is repeated with its key', () => {
  let receiver: Receiver
  let gateway: Gateway
  let account: TestAccount
  const policy = (rules: boolean) => ({ rules, endpoint: { baseUrl: `${receiver.url}/v1` } })
  const firsts = new Map<string, string>()
  const ask = (name: string, path: string, body: object, more: object = {}) =>
    gateway.server.ask('POST', path, {
      key: account.key,
      headers: { 'idempotency-key': name.replace(/\W+/g, '-') },
      body: { ...body, ...more },
    })

  before(async () => {
    const png = await picture('red', { width: 320, height: 320 })
    receiver = await startReceiver((received, response) => {
      if (received.path === '/picture.png') response.writeHead(200, { 'content-type': 'image/png' }).end(png)
      else
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"results":[{"flagged":false,"categories":{}}]}')
      return undefined
    })
    gateway = await startGateway({ moderation: policy(false) })
    account = await gateway.server.createAccount({ credits: 1_000, spicyAllowed: true })
    for (const [name, path, body] of CREATES) {
      const answer = await ask(name, path, body(`${receiver.url}/picture.png`))
      assert.equal(answer.status, 200, `${name}: ${answer.text}`)
      firsts.set(name, idOf(answer))
    }
    // All that a new request is judged by, at its worst: policy, moderation, providers, plan, what is allowed, balance, files.
    receiver.answer(500)
    const providers = { gpu: { kind: 'openai-videos', baseUrl: 'http://127.0.0.1:9/v1' } }
    const models = { '*': { providers: ['gpu'] } }
    assert.equal(await gateway.reload({ providers, models, moderation: policy(true) }), 'taken')
    const { accountId } = account
    const withdrawn = await gateway.server.command(
      'accounts',
      'update',
      accountId,
      '--plan',
      'free',
      '--no-allow-spicy',
    )
    assert.equal(withdrawn.code, 0, withdrawn.stderr)
    const left = await credits(gateway.server, { key: account.key })
    const taken = await gateway.server.command('credits', 'revoke', accountId, String(left))
    assert.equal(taken.code, 0, taken.stderr)
  })
  after(async () => {
    await gateway?.[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  for (const [name, path, body] of CREATES) {
    test(`is answered with its task, and judged by nothing (${name})`, async () => {
      const asked = body(`${receiver.url}/picture.png`)
      const again = await ask(name, path, asked)
      assert.equal(again.status, 200, again.text)
      assert.equal(idOf(again), firsts.get(name))
      const fresh = await ask(`another ${name}`, path, asked)
      assert.ok(fresh.status >= 400, 'a new request is judged')
    })

    test(`is told of a conflict, and of nothing else, when it is another request (${name})`, async () => {
      const other = await ask(name, path, body('http://127.0.0.1:9/gone.png'), { prompt: 'x'.repeat(6_000) })
      assert.match(other.text, /Idempotency-Key was used before/, other.text)
    })
  }

  test('is looked up for all creates that come at once, and each gets its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const [name, path, body] = CREATES[index % CREATES.length] ?? assert.fail()
        return ask(name, path, body(`${receiver.url}/picture.png`)).then((answer) => [name, idOf(answer)] as const)
      }),
    )
    for (const [name, id] of answers) assert.equal(id, firsts.get(name))
  })
})
