/** SIGHUP: the file is read anew while tasks are under way. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { testDatabase } from '../support/database.ts'
import { startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import { request, startCli, startServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream, SECOND_KEY } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'
import { create, credits, generationOf, waitForStatus } from './rivya.ts'

const ENV = { KEY_A: FIRST_KEY, KEY_B: SECOND_KEY }
const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }
const OPEN = { life: { pendingPolls: 1_000_000, ends: 'succeeded' } } as const

let folder: string
let video: Buffer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-reload-'))
  video = await readFile(
    await writeTestVideo({ path: join(folder, 'video.mp4'), durationSeconds: 6, width: 480, height: 720 }),
  )
})
after(() => rm(folder, { recursive: true, force: true }))

function configOf(upstream: ScriptedUpstream, apiKey: unknown, name = 'main') {
  const provider = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey, pollSeconds: 0.2 }
  return { providers: { [name]: provider }, models: { '*': { providers: [name] } } }
}

/** The keys that polls came with since the stand-in had received so many requests. */
function pollKeys(upstream: ScriptedUpstream, since: number): Set<string | undefined> {
  const polls = upstream.received.slice(since).filter(({ target }) => target === 'poll')
  return new Set(polls.map(({ headers }) => headers.authorization?.replace('Bearer ', '')))
}

async function untilJobs(upstream: ScriptedUpstream, count: number): Promise<void> {
  await waitFor(`${count} jobs`, () => (upstream.jobs.length >= count ? true : undefined))
}

async function untilPolled(upstream: ScriptedUpstream, since: number): Promise<void> {
  await waitFor('a poll', () => (pollKeys(upstream, since).size > 0 ? true : undefined))
}

describe('a configuration that is changed while tasks are under way', () => {
  test('a rotated key serves the tasks that it started, and new ones are started with the new key', async () => {
    await using upstream = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using gateway = await startGateway(configOf(upstream, 'env:KEY_A'), { env: ENV })
    const { server } = gateway
    const old = await create(server, BODY)
    await untilJobs(upstream, 1)
    assert.equal(await gateway.reload(configOf(upstream, 'env:KEY_B')), 'taken')
    const since = upstream.received.length
    const young = await create(server, BODY)
    await untilJobs(upstream, 2)
    assert.deepEqual(
      upstream.jobs.map(({ apiKey }) => apiKey),
      [FIRST_KEY, SECOND_KEY],
    )
    await waitFor('polls of both', () => (pollKeys(upstream, since).size === 2 ? true : undefined))
    for (const { id } of upstream.jobs) upstream.setJob({ state: 'succeeded' }, id)
    for (const { id } of [old, young]) {
      assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
    }
    assert.equal(upstream.jobs.length, 2)
  })

  test('a key that is taken away serves the tasks that it started, and new ones go without', async () => {
    await using upstream = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using gateway = await startGateway(configOf(upstream, 'env:KEY_A'), { env: ENV })
    const { server } = gateway
    const { id } = await create(server, BODY)
    await untilJobs(upstream, 1)
    assert.equal(await gateway.reload(configOf(upstream, undefined)), 'taken')
    const since = upstream.received.length
    await untilPolled(upstream, since)
    assert.deepEqual([...pollKeys(upstream, since)], [FIRST_KEY])
    await create(server, BODY)
    const refused = await waitFor('a create without a key', () =>
      upstream.received.slice(since).find(({ path }) => path === '/videos/generations'),
    )
    assert.equal(refused.headers.authorization, undefined)
    upstream.setJob({ state: 'succeeded' })
    assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
  })

  test('a key in a file is read anew, for the environment of a process cannot be changed', async () => {
    await using upstream = await ScriptedUpstream.start(xaiSpeech, OPEN)
    const key = join(folder, 'key')
    await writeFile(key, `${FIRST_KEY}\n`)
    const config = configOf(upstream, `file:${key}`)
    await using gateway = await startGateway(config)
    await create(gateway.server, BODY)
    await untilJobs(upstream, 1)
    await writeFile(key, SECOND_KEY)
    assert.equal(await gateway.reload(config), 'taken')
    await create(gateway.server, BODY)
    await untilJobs(upstream, 2)
    assert.deepEqual(
      upstream.jobs.map(({ apiKey }) => apiKey),
      [FIRST_KEY, SECOND_KEY],
    )
  })

  test('a provider that is removed ends its tasks and begins none; those that waited for it go to another', async () => {
    await using first = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using second = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    const { providers } = configOf(first, 'env:KEY_A', 'first')
    const narrow = { first: { ...providers['first'], concurrency: 1 } }
    await using gateway = await startGateway(
      { providers: narrow, models: { '*': { providers: ['first'] } } },
      { env: ENV },
    )
    const { server } = gateway
    const begun = await create(server, BODY)
    await untilJobs(first, 1)
    const waiting = await create(server, BODY)
    assert.equal(await gateway.reload(configOf(second, 'env:KEY_A', 'second')), 'taken')
    await untilJobs(second, 1)
    first.setJob({ state: 'succeeded' })
    second.setJob({ state: 'succeeded' })
    for (const { id } of [begun, waiting]) {
      assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
    }
    assert.deepEqual([first.jobs.length, second.jobs.length], [1, 1])
    assert.equal(await credits(server), 10_000 - 20)
  })

  test('a file that makes no sense changes nothing and says why', async () => {
    await using upstream = await ScriptedUpstream.start(xaiSpeech, OPEN)
    const config = configOf(upstream, 'env:KEY_A')
    await using gateway = await startGateway(config, { env: ENV })
    const { server } = gateway
    const wrong: readonly (readonly [content: unknown, says: string])[] = [
      ['{', 'is not JSON: line 1, column 2'],
      [
        { ...config, providers: { main: { ...config.providers['main'], kind: 'sora' } } },
        'providers.main.kind cannot be',
      ],
      [configOf(upstream, 'env:KEY_C'), 'KEY_C, which is not set'],
      [
        { ...config, providers: { main: { ...config.providers['main'], baseUrl: 'http://127.0.0.1:9/v1' } } },
        'providers.main cannot have another kind or baseUrl',
      ],
    ]
    for (const [content, says] of wrong) {
      assert.equal(await gateway.reload(content), 'refused')
      const line =
        server
          .log()
          .split('\n')
          .findLast((each) => each.includes('the configuration stays as it was')) ?? ''
      assert.ok(line.includes(says), `"${line}" does not say "${says}"`)
    }
    await rm(join(gateway.folder, 'reelay.config.json'))
    process.kill(server.pid ?? 0, 'SIGHUP')
    await waitFor('the missing file to be logged', () =>
      server.log().includes('cannot be read (ENOENT)') ? true : undefined,
    )
    await create(server, BODY)
    await untilJobs(upstream, 1)
    assert.ok(!server.log().includes(FIRST_KEY))
  })

  test('is taken by an API and a worker, each told by a signal of its own', async () => {
    await using first = await ScriptedUpstream.start(xaiSpeech, OPEN)
    await using second = await ScriptedUpstream.start(xaiSpeech, OPEN)
    await using database = await testDatabase()
    const key = `rly_live_${'k'.repeat(32)}`
    const file = join(folder, 'roles.json')
    await writeFile(file, JSON.stringify(configOf(first, 'env:KEY_A', 'first')))
    const env = {
      ...ENV,
      DATABASE_URL: database.url,
      REELAY_DATA_DIR: join(folder, 'roles'),
      REELAY_STORE: pathToFileURL(join(folder, 'roles-media')).href,
      REELAY_PORT: '0',
      REELAY_BOOTSTRAP_KEY: key,
      REELAY_CONFIG: file,
    }
    const api = startCli(['serve', '--json', '--role', 'api'], env)
    const logs = new Map([
      ['api', ''],
      ['worker', ''],
    ])
    const listen = (name: string, { child }: typeof api) =>
      child.stdout?.on('data', (text: string) => logs.set(name, `${logs.get(name)}${text}`))
    listen('api', api)
    let worker: typeof api | undefined
    try {
      const url = await waitFor('the API’s address', () => /^\{"url":"([^"]+)"\}$/m.exec(logs.get('api') ?? '')?.[1])
      worker = startCli(['serve', '--json', '--role', 'worker'], { ...env, REELAY_PUBLIC_URL: url })
      listen('worker', worker)
      const post = async () => generationOf(await request(`${url}/api/v1/generations`, 'POST', { key, body: BODY }))
      await post()
      await untilJobs(first, 1)
      await writeFile(file, JSON.stringify(configOf(second, 'env:KEY_A', 'second')))
      for (const { child } of [api, worker]) child.kill('SIGHUP')
      for (const name of ['api', 'worker']) {
        await waitFor(`the ${name} to reload`, () => (logs.get(name)?.includes('configured anew') ? true : undefined))
      }
      await post()
      await untilJobs(second, 1)
      assert.equal(first.jobs.length, 1)
    } finally {
      for (const each of [worker, api]) each?.child.kill('SIGTERM')
      await Promise.all([worker?.result, api.result])
    }
  })
})

test('without a file everything goes to the animatic renderer, and the start says so', async () => {
  await using server = await startServer()
  assert.match(server.log(), /with no other provider configured, every video is an animatic/)
})
