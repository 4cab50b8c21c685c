/** A provider that no worker has in its file, though tasks are with it: nothing is stranded, lost, or paid for twice. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { uuidOf } from '../../src/canonical/ids.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { create, credits, type Generation, generationOf, get, waitForStatus } from '../acceptance/rivya.ts'
import { testDatabase } from '../support/database.ts'
import { startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import { request, startCli, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }
const ENV = { KEY_A: FIRST_KEY }
const OPEN = { life: { pendingPolls: 1_000_000, ends: 'succeeded' } } as const
const QUICK = { life: { pendingPolls: 0, ends: 'succeeded' } } as const

let folder: string
let video: Buffer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-missing-'))
  const path = join(folder, 'video.mp4')
  video = await readFile(await writeTestVideo({ path, durationSeconds: 6, width: 480, height: 720 }))
})
after(() => rm(folder, { recursive: true, force: true }))

function providerOf(upstream: ScriptedUpstream) {
  return { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY_A', pollSeconds: 0.2, concurrency: 1 }
}

/** A file with these providers, all of them in the route of every model. */
function configOf(upstreams: Readonly<Record<string, ScriptedUpstream>>) {
  const providers = Object.fromEntries(Object.entries(upstreams).map(([name, each]) => [name, providerOf(each)]))
  return { providers, models: { '*': { providers: Object.keys(providers) } } }
}

async function rowOf(server: TestServer, { id }: Generation): Promise<Record<string, unknown> | undefined> {
  return await server.withDatabase(async (pool) => {
    const { rows } = await pool.query<Record<string, unknown>>(
      'select state, provider, parked_because from tasks where id = $1',
      [uuidOf(id as Parameters<typeof uuidOf>[0])],
    )
    return rows[0]
  })
}

describe('a provider that is gone after a restart', () => {
  test('leaves what waited to others, and what ran to its own return', async () => {
    await using gone = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using other = await ScriptedUpstream.start(xaiSpeech, { ...QUICK, video })
    const both = configOf({ gone, other })
    // All of them go to the first: the second one takes its turn only where the first is ill.
    await using gateway = await startGateway(both, { env: ENV })
    const { server } = gateway
    const running = await create(server, BODY)
    await waitFor('the job', () => gone.jobs[0])
    const waiting = [await create(server, BODY), await create(server, BODY)]
    await server.terminate()
    await writeFile(join(gateway.folder, 'reelay.config.json'), JSON.stringify(configOf({ other })))
    await server.start()

    for (const { id } of waiting) await waitForStatus(server, id, ['succeeded'])
    assert.equal(other.jobs.length, 2)
    const parked = { state: 'running', provider: 'gone', parked_because: 'provider_missing' }
    await waitFor('the running one to be parked', async () =>
      (await rowOf(server, running))?.['parked_because'] === null ? undefined : true,
    )
    assert.deepEqual(await rowOf(server, running), parked)
    assert.equal((await get(server, running.id)).status, 'processing')
    await waitFor('the log to say so', () =>
      server.log().includes('open tasks wait for a provider that no worker has configured') ? true : undefined,
    )
    const { text } = await server.ask('GET', '/metrics', { key: null })
    assert.match(text, /^reelay_unconfigured_provider_tasks\{provider="gone"\} 1$/m)
    const status = await server.command('status')
    assert.match(status.stdout, /1 open tasks wait for the provider gone/)
    const resumed = await server.command('tasks', 'resume', running.id)
    assert.match(resumed.stderr, /whose provider is missing goes on when a worker has that again/)

    gone.setJob({ state: 'succeeded' })
    assert.equal(await gateway.reload(both), 'taken')
    await waitForStatus(server, running.id, ['succeeded'])
    assert.deepEqual([gone.jobs.length, other.jobs.length], [1, 2])
    assert.equal(await credits(server), 10_000 - 30)
    assert.deepEqual(await server.withDatabase(findViolations), [])
  })

  test('keeps the hold until the operator gives the task up, or its owner cancels it', async () => {
    await using gone = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using other = await ScriptedUpstream.start(xaiSpeech, { ...QUICK, video })
    const wide = configOf({ gone })
    await using gateway = await startGateway(
      { ...wide, providers: { gone: { ...providerOf(gone), concurrency: 2 } } },
      { env: ENV },
    )
    const { server } = gateway
    const tasks = [await create(server, BODY), await create(server, BODY)] as const
    await waitFor('both jobs', () => gone.jobs[1])
    await server.kill()
    await writeFile(join(gateway.folder, 'reelay.config.json'), JSON.stringify(configOf({ other })))
    await server.start()
    for (const task of tasks) {
      await waitFor('it to be parked', async () =>
        (await rowOf(server, task))?.['parked_because'] === null ? undefined : true,
      )
    }
    assert.equal(await credits(server), 10_000 - 20)
    const failed = await server.command('tasks', 'fail', tasks[0].id)
    assert.equal(failed.code, 0, failed.stderr)
    assert.equal(await credits(server), 10_000 - 10)
    const canceled = await server.ask('POST', `/api/v1/generations/${tasks[1].id}/cancel`)
    assert.equal(generationOf(canceled).status, 'canceled')
    assert.equal(await credits(server), 10_000)
    assert.equal(gone.jobs.length, 2)
    assert.deepEqual(await server.withDatabase(findViolations), [])
  })
})

test('what an API routes to a provider that no worker has goes to one that they have', async () => {
  await using unknown = await ScriptedUpstream.start(xaiSpeech, { ...QUICK, video })
  await using known = await ScriptedUpstream.start(xaiSpeech, { ...QUICK, video })
  await using database = await testDatabase()
  const key = `rly_live_${'k'.repeat(32)}`
  const files = { api: join(folder, 'api.json'), worker: join(folder, 'worker.json') }
  await writeFile(files.api, JSON.stringify(configOf({ unknown })))
  await writeFile(files.worker, JSON.stringify(configOf({ known })))
  const env = {
    ...ENV,
    DATABASE_URL: database.url,
    REELAY_STORE: pathToFileURL(join(folder, 'shared')).href,
    REELAY_PORT: '0',
    REELAY_BOOTSTRAP_KEY: key,
    REELAY_ALLOW_NETS: '127.0.0.0/8',
  }
  const start = (role: 'api' | 'worker', more: Record<string, string> = {}) =>
    startCli(['serve', '--json', '--role', role], {
      ...{ ...env, ...more },
      REELAY_CONFIG: files[role],
      REELAY_DATA_DIR: join(folder, role),
    })
  const api = start('api')
  let worker: typeof api | undefined
  try {
    let output = ''
    api.child.stdout?.on('data', (text: string) => {
      output += text
    })
    const url = await waitFor('the API’s address', () => /^\{"url":"([^"]+)"\}$/m.exec(output)?.[1])
    worker = start('worker', { REELAY_PUBLIC_URL: url })
    const { id } = generationOf(await request(`${url}/api/v1/generations`, 'POST', { key, body: BODY }))
    const ended = await waitFor('the task to end', async () => {
      const now = generationOf(await request(`${url}/api/v1/generations/${id}`, 'GET', { key }))
      return now.status === 'queued' || now.status === 'processing' ? undefined : now
    })
    assert.equal(ended.status, 'succeeded')
    assert.deepEqual([unknown.jobs.length, known.jobs.length], [0, 1])
  } finally {
    for (const each of [worker, api]) each?.child.kill('SIGTERM')
    await Promise.all([worker?.result, api.result])
  }
})
