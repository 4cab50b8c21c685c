/** Callbacks and uploads as customers and operators meet them: a real server, real receivers, a real verifier. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts'
import { type Answer, startServer, type TestServer } from '../support/server.ts'

const QUICK = { aspect_ratio: '1:1', resolution: '480p', duration: 1 }

const created = z.looseObject({ task_id: z.string() })
const secretOutput = z.strictObject({ account: z.string(), callback_secret: z.string().startsWith('whsec_') })
const listOutput = z.strictObject({
  deliveries: z.array(
    z.strictObject({
      id: z.string().regex(/^msg_[0-9a-f]{32}$/),
      kind: z.enum(['callback', 'upload']),
      task: z.string(),
      account: z.string(),
      url: z.string(),
      state: z.enum(['pending', 'delivered', 'failed']),
      attempts: z.int(),
      due_at: z.iso.datetime().nullable(),
      parked: z.boolean(),
      last_status: z.int().nullable(),
      last_error: z.string().nullable(),
      last_attempt_at: z.iso.datetime().nullable(),
      created_at: z.iso.datetime(),
      ended_at: z.iso.datetime().nullable(),
    }),
  ),
})
const callback = z.looseObject({ success: z.boolean(), task_id: z.string() })

function ask(server: TestServer, body: Record<string, unknown>): Promise<Answer> {
  return server.ask('POST', '/grok/videos', { body: { ...QUICK, async: true, ...body } })
}

/** Creates a task by the dialect that has callbacks; its id as that dialect writes it. */
async function create(server: TestServer, body: Record<string, unknown>): Promise<string> {
  const answer = await ask(server, body)
  assert.equal(answer.status, 200, answer.text)
  return created.parse(answer.body).task_id
}

function taskIdOf(uuid: string): string {
  return `task_${uuid.replaceAll('-', '')}`
}

function arrived(receiver: Receiver, times: number): Promise<Received> {
  return waitFor(`callback ${times}`, () => receiver.received[times - 1])
}

async function secretOf(server: TestServer, ...options: string[]): Promise<string> {
  const { stdout, stderr } = await server.command(
    'accounts',
    'callback-secret',
    server.accountId ?? '',
    '--json',
    ...options,
  )
  assert.equal(stderr, '')
  return secretOutput.parse(JSON.parse(stdout)).callback_secret
}

/** As a customer's code does, with the library that the specification's authors publish. Throws if it is not genuine. */
function verify({ body, headers }: Received, secret: string): z.infer<typeof callback> {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  return callback.parse(new Webhook(secret).verify(body.toString(), texts))
}

async function credits(server: TestServer): Promise<unknown> {
  return (await server.ask('GET', '/api/v1/credits')).body
}

async function list(server: TestServer, ...options: string[]) {
  const { stdout, stderr } = await server.command('deliveries', 'list', '--json', ...options)
  assert.equal(stderr, '')
  return listOutput.parse(JSON.parse(stdout)).deliveries
}

describe('with the own machine allowed', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ env: { REELAY_ALLOW_NETS: '127.0.0.0/8' } })
  })
  after(() => server.stop())

  test('the server says at its start that it allows networks', () => {
    assert.match(server.log(), /"level":40.*127\.0\.0\.0\/8.*REELAY_ALLOW_NETS/)
  })

  test('success, failure, expiry and cancel are each told once, verifiably', async () => {
    await using receiver = await startReceiver()
    const callback_url = `${receiver.url}/hook?account=7`
    const secret = await secretOf(server)
    const tasks = {
      succeeded: await create(server, { prompt: 'sea', callback_url }),
      failed: await create(server, { prompt: 'sandbox:fail', callback_url }),
      expired: await create(server, { prompt: 'sandbox:expire', callback_url }),
      canceled: await create(server, { prompt: 'sandbox:slow=600', callback_url }),
    }
    await server.ask('POST', `/api/v1/generations/${taskIdOf(tasks.canceled)}/cancel`)
    await arrived(receiver, 4)
    const bodies = receiver.received.map((received) => verify(received, secret))
    assert.deepEqual(bodies.map(({ task_id }) => task_id).sort(), Object.values(tasks).sort())
    for (const body of bodies) assert.equal(body.success, body.task_id === tasks.succeeded)
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 4)
    for (const { path, method } of receiver.received) assert.deepEqual([method, path], ['POST', '/hook?account=7'])

    const success = bodies.find(({ success }) => success)
    const { data } = z.looseObject({ data: z.tuple([z.looseObject({ video_url: z.url() })]) }).parse(success)
    const video = await fetch(data[0].video_url)
    assert.deepEqual([video.status, video.headers.get('content-type')], [200, 'video/mp4'])
    assert.throws(() => verify({ ...(receiver.received[0] ?? assert.fail()), body: Buffer.from('{}') }, secret))
    assert.doesNotMatch(server.log(), /account=7/)
  })

  test('while a secret is replaced, both verify', async () => {
    await using receiver = await startReceiver()
    const old = await secretOf(server)
    const fresh = await secretOf(server, '--rotate')
    assert.notEqual(fresh, old)
    assert.equal(await secretOf(server), fresh)
    await create(server, { prompt: 'sandbox:fail', callback_url: receiver.url })
    const received = await arrived(receiver, 1)
    for (const secret of [old, fresh]) verify(received, secret)
    const unknown = await server.command('accounts', 'callback-secret', `acct_${'0'.repeat(32)}`)
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /There is no account/)
  })

  test('an upload brings the very bytes that the API serves', async () => {
    await using bucket = await startReceiver(200)
    const model = 'grok-imagine-video'
    const body = { model, prompt: 'sea', duration: 1, output: { upload_url: `${bucket.url}/out.mp4?signature=s` } }
    const answer = await server.ask('POST', '/xai/v1/videos/generations', { body })
    assert.equal(answer.status, 200, answer.text)
    const { request_id } = z.looseObject({ request_id: z.string() }).parse(answer.body)
    const put = await arrived(bucket, 1)
    assert.deepEqual([put.method, put.path, put.headers['content-type']], ['PUT', '/out.mp4?signature=s', 'video/mp4'])
    const read = await server.ask('GET', `/xai/v1/videos/${request_id}`)
    const { video } = z.looseObject({ video: z.looseObject({ url: z.url() }) }).parse(read.body)
    const served = Buffer.from(await (await fetch(video.url)).arrayBuffer())
    assert.equal(put.headers['content-length'], String(served.length))
    assert.ok(put.body.equals(served))
  })

  test('an operator sees what failed, and has it tried again', async () => {
    await using receiver = await startReceiver(410)
    const task = taskIdOf(
      await create(server, { prompt: 'sandbox:fail', callback_url: `${receiver.url}/a?token=hidden` }),
    )
    await waitFor('the delivery to fail', async () => (await list(server, '--task', task, '--state', 'failed'))[0])
    const [failed] = await list(server, '--task', task)
    assert.ok(failed)
    const { url, last_status, attempts, due_at } = failed
    assert.deepEqual([url, last_status, attempts, due_at], [`${receiver.url}/a`, 410, 1, null])
    receiver.answer(200)
    assert.equal((await server.command('deliveries', 'retry', failed.id)).code, 0)
    await waitFor('the delivery', async () => (await list(server, '--task', task, '--state', 'delivered'))[0])
    assert.equal(receiver.received[1]?.headers['webhook-id'], failed.id)
    assert.equal((await server.command('deliveries', 'retry', `msg_${'0'.repeat(32)}`)).code, 1)
    assert.equal((await server.command('deliveries', 'list', '--state', 'nonsense')).code, 1)
  })

  test('attempts are counted, and so is what waits', async () => {
    await using receiver = await startReceiver(500)
    await create(server, { prompt: 'sandbox:fail', callback_url: receiver.url })
    const { text } = await waitFor('the metrics', async () => {
      const metrics = await server.ask('GET', '/metrics', { key: null })
      return /outcome="retried"/.test(metrics.text) ? metrics : undefined
    })
    assert.match(text, /reelay_delivery_attempts_total{kind="callback",outcome="delivered"} \d/)
    assert.match(text, /reelay_deliveries_pending{kind="callback"} [1-9]/)
  })
})

describe('with no network allowed', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  test('URLs that lead inside are refused before anything is charged, and nobody is dialled', async () => {
    await using victim = await startReceiver(200)
    const { port } = victim
    const before = await credits(server)
    for (const url of [
      `http://127.0.0.1:${port}/`,
      `https://127.0.0.1:${port}/`,
      `https://127.0.0.1/`,
      `http://2130706433:${port}/`,
      `http://0x7f.1:${port}/`,
      `http://0177.0.0.1:${port}/`,
      `http://[::1]:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://0.0.0.0:${port}/`,
      `http://localhost:${port}/`,
      'https://169.254.169.254/latest/meta-data/',
      'https://10.0.0.1/',
      `https://user@127.0.0.1:${port}/`,
      'https://user:secret@example.com/',
      `https://example.com:${port}/`,
      'http://example.com/',
      'ftp://example.com/',
      'file:///etc/passwd',
      'not a url',
      '',
    ]) {
      const refused = await ask(server, { prompt: 'sandbox:fail', callback_url: url })
      assert.equal(refused.status, 400, `${url}: ${refused.text}`)
      assert.match(refused.text, /callback_url is not a URL that may be called; allowed: /)
      const body = { model: 'grok-imagine-video', prompt: 'sandbox:fail', output: { upload_url: url } }
      const upload = await server.ask('POST', '/xai/v1/videos/generations', { body })
      assert.equal(upload.status, 400, `${url}: ${upload.text}`)
      assert.match(upload.text, /output\.upload_url is not a URL that may be called; allowed: /)
    }
    assert.deepEqual(await credits(server), before)
    assert.equal(victim.connections(), 0)
  })
})

describe('after a crash', () => {
  for (const [point, arrives] of [
    ['settle.committed', 1],
    ['deliver.sent', 2],
  ] as const) {
    test(`at ${point} the callback is made by the next process, under the same id`, async () => {
      await using receiver = await startReceiver()
      await using server = await startServer({ env: { REELAY_ALLOW_NETS: '127.0.0.1/32', REELAY_FAULT: point } })
      const task = await create(server, { prompt: 'sandbox:fail', callback_url: receiver.url })
      assert.equal((await server.exited).signal, 'SIGKILL')
      assert.equal(receiver.received.length, arrives - 1)
      await server.restart({ REELAY_FAULT: '' })
      const received = await arrived(receiver, arrives)
      assert.equal(verify(received, await secretOf(server)).task_id, task)
      await waitFor('the record', async () => (await list(server, '--state', 'delivered'))[0])
      assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
      assert.equal(receiver.received.length, arrives)
    })
  }
})
