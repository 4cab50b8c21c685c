/**
 * Providers that call when a job has ended, as vendors do it: stand-ins of the three that call, and a second Reelay. Their
 * jobs are looked at once a minute, so whatever happens sooner happened because of a call.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import { startReceiver } from '../support/receiver.ts'
import { type Answer, request, runCli, startServer, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { acedataSpeech } from '../support/upstream/acedata-speech.ts'
import { openaiVideosSpeech } from '../support/upstream/openai-videos-speech.ts'
import { rivyaSpeech } from '../support/upstream/rivya-speech.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import type { Speech } from '../support/upstream/speech.ts'
import { create, credits, get, waitForStatus } from './rivya.ts'

const PUBLIC_URL = 'https://video.example.com'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const MINUTE_MS = 60_000

/** What the smallest of the three can be asked for. */
const BODY = {
  model: 'grok-imagine-video',
  prompt: 'A quiet sea at dawn',
  params: { mode: 'normal', duration: 6, resolution: '480p', aspect_ratio: '2:3' },
}

interface Vendor {
  readonly kind: string
  readonly speech: Speech
  readonly provider: Readonly<Record<string, unknown>>
  readonly signs: boolean
  readonly message: (jobId: string, said: 'succeeded' | 'failed') => unknown
}

const VENDORS: readonly Vendor[] = [
  {
    kind: 'acedata',
    speech: acedataSpeech,
    provider: { callback: true },
    signs: false,
    message: (jobId, said) =>
      said === 'failed'
        ? { success: false, task_id: jobId, trace_id: 'c1f2', error: { code: 'api_error', message: 'It broke.' } }
        : { success: true, task_id: jobId, data: [{ state: said, video_url: 'https://evil.example/1.mp4' }] },
  },
  {
    kind: 'rivya',
    speech: rivyaSpeech,
    provider: { webhookSecret: 'env:WEBHOOK_SECRET' },
    signs: true,
    message: (id, status) => ({
      id: 'evt_1',
      type: `generation.${status}`,
      api_version: '2026-05-11',
      data: { id, status, result: { primary_url: 'https://evil.example/1.mp4', urls: [] } },
    }),
  },
  {
    kind: 'openai-videos',
    speech: openaiVideosSpeech(),
    provider: { webhookSecret: 'env:WEBHOOK_SECRET' },
    signs: true,
    message: (id, said) => ({
      id: 'evt_1',
      object: 'event',
      type: said === 'failed' ? 'video.failed' : 'video.completed',
      data: { id },
    }),
  },
]

const webhooksOutput = z.strictObject({
  webhooks: z.array(z.strictObject({ provider: z.string(), url: z.url(), signed: z.boolean() })),
})

async function writeConfig(folder: string, providers: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, 'reelay.config.json')
  await writeFile(path, JSON.stringify({ providers, models: { '*': { providers: ['main'] } } }))
  return path
}

/** A call as the vendor makes it, `ageMs` ago. */
function headersOf(body: string, { secret = SECRET, ageMs = 0 } = {}): Record<string, string> {
  const sentAt = new Date(Date.now() - ageMs)
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', sentAt, body),
  }
}

for (const { kind, speech, provider, signs, message } of VENDORS) {
  describe(`a provider of kind ${kind} that calls`, () => {
    let folder: string
    let upstream: ScriptedUpstream
    let server: TestServer
    let addresses: z.infer<typeof webhooksOutput>['webhooks'] = []
    /** Below the server's own address, as a proxy before it would ask. */
    let path: string

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'reelay-provider-webhooks-'))
      const video = await readFile(await writeTestVideo({ path: join(folder, 'made.mp4'), durationSeconds: 6 }))
      upstream = await ScriptedUpstream.start(speech, { video, life: { pendingPolls: 1_000, ends: 'succeeded' } })
      const entry = {
        kind,
        baseUrl: upstream.baseUrl,
        apiKey: 'env:UPSTREAM_KEY',
        pollSeconds: 60,
        concurrency: 50,
        ...provider,
      }
      server = await startServer({
        env: {
          REELAY_CONFIG: await writeConfig(folder, {
            main: entry,
            second: entry,
            quiet: { ...entry, kind: 'xai', callback: undefined, webhookSecret: undefined },
          }),
          REELAY_PUBLIC_URL: PUBLIC_URL,
          REELAY_ALLOW_NETS: '127.0.0.0/8',
          UPSTREAM_KEY: FIRST_KEY,
          WEBHOOK_SECRET: SECRET,
        },
      })
      const { stdout, stderr } = await server.command('providers', 'webhooks', '--json')
      assert.equal(stderr, '')
      addresses = webhooksOutput.parse(JSON.parse(stdout)).webhooks
      path = pathOf('main')
    })
    after(async () => {
      await server.stop()
      await upstream[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    })

    const pathOf = (name: string) =>
      addresses.find((each) => each.provider === name)?.url.slice(PUBLIC_URL.length) ?? ''

    function call(at: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const sent = headers ?? (signs ? headersOf(text) : {})
      return request(`${server.url}${at}`, 'POST', { body: text, headers: sent })
    }

    /** A task whose job runs at the stand-in. */
    async function running(): Promise<{ readonly id: string; readonly jobId: string }> {
      const { length } = upstream.jobs
      const { id } = await create(server, BODY)
      const jobId = await waitFor('the job', () => upstream.jobs[length]?.id)
      await waitFor('its operation', () =>
        server.withDatabase(async (pool) => {
          const { rows } = await pool.query(`select from attempts where operation ->> 'id' = $1`, [jobId])
          return rows.length === 1 || undefined
        }),
      )
      return { id, jobId }
    }

    const pollsOf = (jobId: string) =>
      upstream.received.filter(
        ({ target, path: asked, body }) => target === 'poll' && `${asked}${body}`.includes(jobId),
      ).length

    test('has its job ended at once, though it is looked at once a minute', async () => {
      const { id, jobId } = await running()
      upstream.setJob({ state: 'succeeded', progress: 100 }, jobId)
      const answer = await call(path, message(jobId, 'succeeded'))
      assert.deepEqual([answer.status, answer.text], [204, ''])
      const ended = await waitForStatus(server, id, ['succeeded', 'failed'])
      assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
      assert.equal(pollsOf(jobId), 1)
      assert.ok(!JSON.stringify(ended).includes('evil'))
      assert.equal((await call(path, message(jobId, 'failed'))).status, 204)
      assert.deepEqual(await get(server, id), ended)
    })

    test('and says that a job has failed, or is done, which is not so, is asked and not believed', async () => {
      const before = await credits(server)
      const { id, jobId } = await running()
      await call(path, message(jobId, 'failed'))
      await waitFor('a poll', () => pollsOf(jobId) === 1 || undefined)
      for (let sent = 0; sent < 20; sent += 1) await call(path, message(jobId, 'succeeded'))
      const { status, result, error } = await get(server, id)
      assert.deepEqual([status, result, error], ['processing', null, null])
      assert.equal(await credits(server), before - 10)
      assert.equal(pollsOf(jobId), 1, 'a flood is one poll, and another after five seconds')
    })

    test('is answered alike about jobs that there are, that there are not, and that are another provider’s', async () => {
      const { jobId } = await running()
      const known = await call(path, message(jobId, 'failed'))
      await waitFor('a poll', () => pollsOf(jobId) === 1 || undefined)
      const another = await running()
      const others = await call(pathOf('second'), message(another.jobId, 'succeeded'))
      for (const answer of [known, others, await call(path, message('there-is-none', 'failed'))]) {
        assert.deepEqual([answer.status, answer.text], [204, ''])
      }
      const { rows } = await server.withDatabase((pool) =>
        pool.query<{ late: boolean }>(
          `select t.due_at > now() + interval '30 seconds' and t.hinted_at is null as late
           from tasks t join attempts a on a.task_id = t.id where a.operation ->> 'id' = $1`,
          [another.jobId],
        ),
      )
      assert.deepEqual(rows, [{ late: true }])
      assert.equal(pollsOf(another.jobId), 0)
    })

    test('is not known by a wrong address, and nothing of its body is read there', async () => {
      const { jobId } = await running()
      const body = message(jobId, 'succeeded')
      const token = path.slice(path.lastIndexOf('/') + 1)
      const answers = await Promise.all(
        [
          path.slice(0, -1),
          `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`,
          pathOf('second').replace('second', 'main'),
          `/hooks/providers/nobody/${token}`,
          `/hooks/providers/quiet/${token}`,
          `/hooks/providers/animatic/${token}`,
          '/hooks/providers/main/x',
        ].map((wrong) => call(wrong, body)),
      )
      for (const { status, text } of answers) assert.deepEqual([status, text], [404, '{"error":"not found"}'])
      assert.equal((await call('/hooks/providers/main/x', 'x'.repeat(100_000))).status, 404)
      assert.equal((await request(`${server.url}${path}`, 'GET')).status, 404)
      assert.equal(pollsOf(jobId), 0)
      assert.ok(!server.log().includes(token), 'the address is in no log')
    })

    test('with something too large, or that it never sends, is refused', async () => {
      assert.equal((await call(path, JSON.stringify({ padding: 'x'.repeat(65_536) }))).status, 413)
      for (const garbage of ['', '{', 'null', '[]', '\0\xff', '{"data":{}}']) {
        const { status, text } = await call(path, garbage, {
          'content-type': 'text/plain',
          ...(signs ? headersOf(garbage) : {}),
        })
        assert.deepEqual([status, text], [400, '{"error":"not a webhook of this provider"}'], garbage)
      }
      assert.doesNotMatch(server.log(), /"level":(50|60)/)
    })

    if (signs) {
      test('is believed by its signature alone: not without, not by another secret, not by an old one', async () => {
        const { jobId } = await running()
        const body = JSON.stringify(message(jobId, 'failed'))
        const { 'webhook-signature': signature, ...unsigned } = headersOf(body)
        for (const headers of [
          {},
          unsigned,
          headersOf(body, { secret: OTHER_SECRET }),
          headersOf(`${body} `),
          headersOf(body, { ageMs: 6 * MINUTE_MS }),
        ]) {
          assert.equal((await call(path, body, headers)).status, 400, JSON.stringify(headers))
        }
        assert.ok(signature)
        assert.equal(pollsOf(jobId), 0)
      })
    }

    test('was told the address by the job where creates can name one, and nowhere else', () => {
      const named = upstream.received
        .filter(({ target }) => target === 'create')
        .map(({ body }) => JSON.parse(String(body))['callback_url'])
      assert.deepEqual(new Set(named), new Set([kind === 'acedata' ? `${PUBLIC_URL}${path}` : undefined]))
      assert.deepEqual(
        addresses.map(({ provider: name, signed }) => [name, signed]),
        [
          ['main', signs],
          ['second', signs],
        ],
      )
    })
  })
}

describe('what an operator configures', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-provider-webhooks-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const checked = async (entry: Readonly<Record<string, unknown>>, env: Record<string, string> = {}) => {
    const main = { baseUrl: 'http://127.0.0.1:9', apiKey: 'env:UPSTREAM_KEY', ...entry }
    const set = { REELAY_CONFIG: await writeConfig(folder, { main }), UPSTREAM_KEY: 'key', WEBHOOK_SECRET: 'hush' }
    const { code, stderr } = await runCli(['providers', 'check'], { ...set, ...env })
    assert.notEqual(code, 0)
    assert.doesNotMatch(stderr, /hush|\n\s+at /)
    return stderr
  }

  test('a callback needs an address that others can reach', async () => {
    assert.match(
      await checked({ kind: 'acedata', callback: true }),
      /providers\.main\.callback needs REELAY_PUBLIC_URL/,
    )
  })

  test('a kind that calls nobody back cannot be told to', async () => {
    const env = { REELAY_PUBLIC_URL: PUBLIC_URL }
    assert.match(await checked({ kind: 'xai', callback: true }, env), /providers\.main\.callback .*xai/)
    assert.match(
      await checked({ kind: 'xai', webhookSecret: 'env:WEBHOOK_SECRET' }, { WEBHOOK_SECRET: SECRET }),
      /providers\.main\.webhookSecret .*xai/,
    )
  })

  test('a secret that is none is said so, and not shown', async () => {
    const wrong = { kind: 'openai-videos', webhookSecret: 'env:WEBHOOK_SECRET' }
    assert.match(await checked(wrong), /providers\.main\.webhookSecret is not whsec_/)
  })
})

test('an address that customers use is named to no provider unless its operator says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-provider-webhooks-'))
  await using upstream = await ScriptedUpstream.start(acedataSpeech)
  const main = { kind: 'acedata', baseUrl: upstream.baseUrl, apiKey: 'env:UPSTREAM_KEY' }
  const file = await writeConfig(folder, { main })
  await using server = await startServer({
    env: { REELAY_CONFIG: file, REELAY_PUBLIC_URL: PUBLIC_URL, UPSTREAM_KEY: FIRST_KEY },
  })
  await create(server, BODY)
  const received = await waitFor('the job', () => upstream.received.find(({ target }) => target === 'create'))
  assert.ok(!received.body.includes('callback'))
  await rm(folder, { recursive: true })
})

test('a Reelay that is the provider of another calls it back, signed by its account’s secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-provider-webhooks-'))
  await using upstream = await startServer({ env: { REELAY_ALLOW_NETS: '127.0.0.0/8' } })
  const { stdout } = await upstream.command('accounts', 'callback-secret', upstream.accountId ?? '', '--json')
  const secret = z.looseObject({ callback_secret: z.string() }).parse(JSON.parse(stdout)).callback_secret
  await using proxy = await startReceiver()
  const main = {
    kind: 'acedata',
    baseUrl: upstream.url,
    apiKey: 'env:UPSTREAM_KEY',
    webhookSecret: 'env:WEBHOOK_SECRET',
    callback: true,
    pollSeconds: 60,
  }
  await using gateway = await startServer({
    env: {
      REELAY_CONFIG: await writeConfig(folder, { main }),
      REELAY_PUBLIC_URL: proxy.url,
      UPSTREAM_KEY: upstream.key,
      WEBHOOK_SECRET: secret,
    },
  })
  proxy.answer(async ({ path, headers, body }) => {
    const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')))
    const passed = Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, String(value)]))
    return (await request(`${gateway.url}${path}`, 'POST', { body, headers: passed })).status
  })
  const { id } = await create(gateway, { ...BODY, prompt: 'sandbox:fail sandbox:slow=1 by the upstream' })
  const ended = await waitForStatus(gateway, id, ['succeeded', 'failed'])
  assert.equal(ended.status, 'failed')
  assert.equal(proxy.received.length, 1)
  const { stdout: deliveries } = await upstream.command('deliveries', 'list', '--json')
  assert.match(deliveries, /"last_status": ?204/)
  await rm(folder, { recursive: true })
})
