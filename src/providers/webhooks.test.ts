/** What each adapter makes of calls that claim to be its vendor's. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { standInSettings } from '../../test/support/stand-in-settings.ts'
import type { DeliveryId } from '../webhooks/delivery.ts'
import { shownSecret, signatureHeaders } from '../webhooks/sign.ts'
import graph from './comfyui/fixtures/workflow.json' with { type: 'json' }
import { ADAPTERS } from './index.ts'
import type { Provider, Webhook, WebhookOutcome } from './provider.ts'
import type { AdapterSettings } from './upstream/adapter-settings.ts'

const SECRET = Buffer.alloc(32, 7)
const INPUTS = { prompt: '6.text', width: '55.width', height: '55.height', frames: '55.length' }
const MINUTE_MS = 60_000

/** The documented messages, and what is no message of the vendor's although it is signed. */
const VENDORS: Readonly<
  Record<string, { readonly about: (id: string) => unknown; readonly others: unknown[]; readonly garbage: unknown[] }>
> = {
  acedata: {
    about: (id) => ({
      success: true,
      task_id: id,
      trace_id: 'c1f2',
      data: [{ id: 'grok-imagine-video:1', video_url: 'https://cdn.example/1.mp4', state: 'succeeded' }],
    }),
    others: [],
    garbage: [{ task_id: 7 }, { success: false }],
  },
  rivya: {
    about: (id) => ({
      id: 'evt_1',
      type: 'generation.failed',
      api_version: '2026-05-11',
      created_at: '2026-05-11T00:00:00.000Z',
      data: { id, status: 'failed', model: 'grok-imagine-video' },
    }),
    others: [
      { type: 'video.completed', data: { id: 'x' } },
      { type: 'generation.failed', data: {} },
    ],
    garbage: [{ data: { id: 'x' } }],
  },
  'openai-videos': {
    about: (id) => ({
      id: 'evt_1',
      object: 'event',
      created_at: 1_750_287_078,
      type: 'video.completed',
      data: { id },
    }),
    others: [
      { type: 'response.completed', data: { id: 'resp_1' } },
      { type: 'video.completed', data: { id: '' } },
    ],
    garbage: [{ type: 7, data: { id: 'x' } }],
  },
}

async function parsing<Told>(
  kind: string,
  settings: Partial<AdapterSettings>,
  work: (parse: Provider['parseWebhook']) => Told,
): Promise<Told> {
  const adapter = ADAPTERS[kind]
  assert.ok(adapter)
  const standIn = { baseUrl: 'http://127.0.0.1:9', apiKeys: ['key'] }
  const workflow = kind === 'comfyui' ? { graph, inputs: INPUTS, framesPerSecond: 24 } : undefined
  await using provider = adapter.create({ ...standInSettings(standIn), workflow, ...settings })
  return work(provider.parseWebhook?.bind(provider))
}

const bytes = (body: unknown) => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
const unsigned = (body: unknown): Webhook => ({ headers: { 'content-type': 'application/json' }, body: bytes(body) })

function signed(body: unknown, { secret = SECRET, ageMs = 0 } = {}): Webhook {
  const now = new Date(Date.now() - ageMs)
  const message = { id: 'msg_1' as DeliveryId, now, body: bytes(body).toString() }
  return { headers: { ...signatureHeaders(message, [secret]) }, body: bytes(body) }
}

const parsedBy = (kind: string, webhook: Webhook, webhookSecret: string | undefined = shownSecret(SECRET)) =>
  parsing(kind, { webhookSecret }, (parse): WebhookOutcome => parse?.(webhook) ?? assert.fail(`${kind} reads none`))

for (const [kind, { about, others, garbage }] of Object.entries(VENDORS)) {
  describe(`a webhook of ${kind}`, () => {
    test('that is signed names the job, and nothing else of it is taken', async () => {
      assert.deepEqual(await parsedBy(kind, signed(about('job 1'))), { kind: 'hint', jobId: 'job 1' })
    })

    test('that is not signed, signed with another secret, or an old one sent again, is refused', async () => {
      const body = about('job 1')
      const tampered = { ...signed(body), body: bytes(about('job 2')) }
      for (const [webhook, cause] of [
        [unsigned(body), 'unsigned'],
        [signed(body, { secret: Buffer.alloc(32, 8) }), 'forged'],
        [tampered, 'forged'],
        [signed(body, { ageMs: 6 * MINUTE_MS }), 'stale'],
        [signed(body, { ageMs: -6 * MINUTE_MS }), 'stale'],
      ] as const) {
        assert.deepEqual(await parsedBy(kind, webhook), { kind: 'refused', cause: `its signature is ${cause}` })
      }
    })

    test('that is nothing the vendor sends is refused, signed or not', async () => {
      const worse = [about('a'.repeat(501)), about('nul\0'), about('..')]
      const anything = ['', '{', 'null', '[]', '"task_id"', '\u{feff}{}', '[['.repeat(20_000), '{}']
      for (const body of [...garbage, ...anything, ...worse.filter(() => kind === 'acedata')]) {
        const { kind: outcome } = await parsedBy(kind, signed(body))
        assert.equal(outcome, 'refused', JSON.stringify(body).slice(0, 100))
      }
    })

    test('that is about no job is taken, for the vendor would send it again', async () => {
      for (const body of others) assert.deepEqual(await parsedBy(kind, signed(body)), { kind: 'other' })
    })

    test('cannot be verified by a secret that is none, and a sentence says so', async () => {
      await assert.rejects(
        parsing(kind, { webhookSecret: 'hush' }, () => 'made'),
        (error) => error instanceof Error && error.message.includes('webhookSecret') && !error.message.includes('hush'),
      )
    })
  })
}

test('AceData documents no signature: without a secret its address alone tells who calls', async () => {
  const read = (webhook: Webhook) =>
    parsing('acedata', {}, (parse): WebhookOutcome => parse?.(webhook) ?? assert.fail('it reads none'))
  assert.deepEqual(await read(unsigned({ success: false, task_id: 'b8976e18', error: { code: 'api_error' } })), {
    kind: 'hint',
    jobId: 'b8976e18',
  })
  assert.equal((await read(unsigned('garbage'))).kind, 'refused')
})

test('every other provider reads none without a secret, and those that send none not with one either', async () => {
  const reads = (settings: Partial<AdapterSettings>) =>
    Promise.all(
      Object.keys(ADAPTERS).map((kind) => parsing(kind, settings, (parse) => (parse === undefined ? [] : [kind]))),
    )
  assert.deepEqual((await reads({})).flat(), ['acedata'])
  assert.deepEqual((await reads({ webhookSecret: shownSecret(SECRET) })).flat(), ['rivya', 'acedata', 'openai-videos'])
})
