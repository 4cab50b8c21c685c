/** The content policy over HTTP: refused in each dialect's words, before anything is held, fetched or made. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { type Answer, startServer, type TestServer } from '../support/server.ts'
import { credits } from './rivya.ts'

const PROMPT = 'a nude child'
const SENTENCE = /content policy refuses this prompt: sexual content with minors/

/** Creates in every dialect, and what each answers in its own words. */
const CREATES: Readonly<Record<string, readonly [path: string, body: object, status: number, error: RegExp]>> = {
  rivya: ['/api/v1/generations', { model: 'grok-imagine-video', prompt: PROMPT }, 400, /"code":"validation_failed"/],
  grokimagineapi: ['/v1/generate', { prompt: PROMPT, mode: 'normal', ratio: '2:3' }, 400, /"error":"INVALID_REQUEST"/],
  acedata: ['/grok/videos', { prompt: PROMPT, async: true }, 403, /"success":false,"error":\{"code":"forbidden"/],
  xai: ['/v1/videos/generations', { model: 'grok-imagine-video', prompt: PROMPT }, 400, /"code":"invalid-argument"/],
  openai: ['/openai/v1/videos', { prompt: PROMPT }, 400, /"code":"moderation_blocked"/],
}

interface Row {
  readonly dialect: string
  readonly source: string
  readonly category: string
  readonly sha256: string
  readonly trace: string
}

function refusals(server: TestServer): Promise<Row[]> {
  return server.withDatabase(async (pool) => {
    const { rows } = await pool.query<Row>(
      `select dialect, source, category, encode(prompt_sha256, 'hex') as sha256, replace(trace_id::text, '-', '') as trace
       from moderation_refusals order by created_at`,
    )
    return rows
  })
}

async function countTasks(server: TestServer): Promise<number> {
  return await server.withDatabase(async (pool) => {
    const { rows } = await pool.query<{ count: number }>('select count(*)::integer as count from tasks')
    return rows[0]?.count ?? -1
  })
}

describe('a prompt that the content policy refuses', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  for (const [dialect, [path, body, status, error]] of Object.entries(CREATES)) {
    test(`is refused in the words of ${dialect}, with nothing held and a row that does not have it`, async () => {
      const balance = await credits(server)
      const answer = await server.ask('POST', path, { body })
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.text, error)
      assert.match(answer.text, dialect === 'grokimagineapi' ? /Inappropriate content|content policy/ : SENTENCE)
      const row = (await refusals(server)).at(-1)
      const sha256 = createHash('sha256').update(PROMPT).digest('hex')
      const trace = answer.headers.get('x-request-id')?.replace('req_', '')
      assert.deepEqual(row, { dialect, source: 'rules', category: 'sexual_minors', sha256, trace })
      assert.equal(await credits(server), balance)
    })
  }

  test('makes no task, is counted, and is in no log', async () => {
    assert.equal(await countTasks(server), 0)
    const metrics = await server.ask('GET', '/metrics', { key: null })
    const line = 'reelay_moderation_refusals_total{source="rules",category="sexual_minors"}'
    assert.ok(metrics.text.includes(`${line} ${Object.keys(CREATES).length}`), metrics.text.slice(-2_000))
    assert.ok(!/nude|a child/.test(server.log()))
    assert.match(server.log(), /"a prompt was refused"/)
  })

  test('is refused before its files are fetched, and after what is wrong with the request itself', async () => {
    const rows = (await refusals(server)).length
    const image = { url: 'https://nobody.invalid/picture.png' }
    const path = '/v1/videos/generations'
    const answer = await server.ask('POST', path, { body: { prompt: PROMPT, image } })
    assert.match(answer.text, SENTENCE)
    const invalid = await server.ask('POST', path, { body: { prompt: PROMPT, duration: 99 } })
    assert.match(invalid.text, /duration/)
    assert.equal((await refusals(server)).length, rows + 1)
  })
})

describe('a moderation API in the configuration', () => {
  let receiver: Receiver
  let gateway: Gateway
  let flagged = false
  const config = (more: object = {}) => ({
    moderation: { rules: false, endpoint: { baseUrl: `${receiver.url}/v1`, apiKey: 'env:MODERATION_KEY' }, ...more },
  })
  before(async () => {
    receiver = await startReceiver((_received, response) => {
      const results = [{ flagged, categories: { violence: flagged } }]
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ results }))
      return undefined
    })
    gateway = await startGateway(config(), { env: { MODERATION_KEY: 'sk-of-the-moderation' } })
  })
  after(async () => {
    await gateway[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
  })

  const ask = (prompt: string): Promise<Answer> =>
    gateway.server.ask('POST', '/api/v1/generations', { body: { model: 'grok-imagine-video', prompt } })

  test('judges, and is followed by a reload', async () => {
    assert.equal((await ask('sandbox:fail and a quiet sea')).status, 200)
    flagged = true
    const refused = await ask('sandbox:fail and a quiet sea')
    assert.deepEqual([refused.status, (await refusals(gateway.server)).at(-1)?.source], [400, 'endpoint'])
    assert.ok(!gateway.server.log().includes('sk-of-the-moderation'))
    assert.equal(await gateway.reload({ moderation: { rules: true } }), 'taken')
    assert.equal((await ask('sandbox:fail and a quiet sea')).status, 200)
    assert.match((await ask(PROMPT)).text, SENTENCE)
  })

  test('that is away refuses with 503, or lets pass where that is configured', async () => {
    const nobody = { baseUrl: 'http://127.0.0.1:9', timeoutSeconds: 0.5 }
    assert.equal(await gateway.reload({ moderation: { rules: false, endpoint: nobody } }), 'taken')
    const away = await ask('sandbox:fail and a quiet sea')
    assert.equal(away.status, 503, away.text)
    assert.ok(Number(away.headers.get('retry-after')) >= 1)
    const allowing = { moderation: { rules: false, endpoint: { ...nobody, whenAway: 'allow' } } }
    assert.equal(await gateway.reload(allowing), 'taken')
    assert.equal((await ask('sandbox:fail and a quiet sea')).status, 200)
  })
})

test('refusals are forgotten after ninety days', async () => {
  await using server = await startServer()
  await server.ask('POST', '/api/v1/generations', { body: CREATES['rivya']?.[1] })
  await server.withDatabase((pool) =>
    pool.query(`update moderation_refusals set created_at = now() - interval '91 days'`),
  )
  // The chore runs at each start.
  await server.restart()
  await waitFor('the row to go', async () => ((await refusals(server)).length === 0 ? true : undefined))
})
