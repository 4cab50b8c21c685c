/**
 * A backup is restored while its original has gone on: what was open then has been made, paid for and told since. The copy
 * begins nothing of it, asks after nothing and tells nothing, until its operator decides; what is new works at once.
 */
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { findViolations } from '../../src/ledger/invariants.ts'
import { cancel, create, credits, get, waitForStatus } from '../acceptance/rivya.ts'
import { administer, databaseUrl } from '../support/cluster.ts'
import { testDatabase } from '../support/database.ts'
import { startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import { startReceiver } from '../support/receiver.ts'
import { type CommandResult, runCli, startServer, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }
const PRICE = 10
const CREDITS = 10_000
const OPEN = { life: { pendingPolls: 1_000_000, ends: 'succeeded' } } as const

const statusOutput = z.looseObject({
  epoch: z.number(),
  parked: z.object({ tasks: z.number(), deliveries: z.number() }),
})

let folder: string
let video: Buffer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-restore-'))
  const path = join(folder, 'video.mp4')
  video = await readFile(await writeTestVideo({ path, durationSeconds: 6, width: 480, height: 720 }))
})
after(() => rm(folder, { recursive: true, force: true }))

function configOf(upstream: ScriptedUpstream) {
  const provider = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY_A', pollSeconds: 0.2, concurrency: 1 }
  return { providers: { main: provider }, models: { '*': { providers: ['main'] } } }
}

function jsonOf({ code, stdout, stderr }: CommandResult): unknown {
  assert.equal(code, 0, stdout + stderr)
  return JSON.parse(stdout)
}

async function statusOf(server: TestServer): Promise<z.infer<typeof statusOutput>> {
  return statusOutput.parse(jsonOf(await server.command('status', '--json')))
}

async function assertSound(server: TestServer): Promise<void> {
  assert.deepEqual(await server.withDatabase(findViolations), [])
}

describe('a restored copy', () => {
  test('neither buys nor tells what its original has, until the operator resumes it or gives it up', async () => {
    await using receiver = await startReceiver(503)
    await using upstream = await ScriptedUpstream.start(xaiSpeech, {
      life: { pendingPolls: 0, ends: 'succeeded' },
      video,
    })
    await using gateway = await startGateway(configOf(upstream), { env: { KEY_A: FIRST_KEY } })
    const original = gateway.server
    const url = `${receiver.url}/hook`

    // One has ended, and its callback is to be tried again; one runs; three wait.
    const told = await original.ask('POST', '/grok/videos', {
      body: { prompt: 'told', aspect_ratio: '1:1', resolution: '480p', duration: 6, async: true, callback_url: url },
    })
    assert.equal(told.status, 200, told.text)
    await waitFor('the first try of the callback', () => receiver.received[0])
    upstream.life = OPEN.life
    const ids: string[] = []
    for (let count = 0; count < 4; count += 1) ids.push((await create(original, BODY)).id)
    await waitFor('a job', () => upstream.jobs[1])
    const [running = '', first = '', second = '', third = ''] = ids
    await waitForStatus(original, running, ['processing'])
    const backup = join(folder, 'backup.ndjson.gz')
    jsonOf(await original.command('export', backup, '--json'))

    upstream.life = { pendingPolls: 0, ends: 'succeeded' }
    for (const { id } of upstream.jobs) upstream.setJob({ state: 'succeeded' }, id)
    for (const id of ids) await waitForStatus(original, id, ['succeeded'])
    assert.equal(upstream.jobs.length, 5)
    await original.terminate()
    receiver.answer(204)

    const home = join(folder, 'home')
    await cp(join(original.dataDirectory, 'media'), join(home, 'media'), { recursive: true })
    await using database = await testDatabase()
    const target = { DATABASE_URL: database.url, REELAY_DATA_DIR: home }
    const imported = await runCli(['import', backup], target)
    assert.equal(imported.code, 0, imported.stderr)
    assert.match(imported.stdout, /4 open tasks are parked.*reelay tasks resume --all.*reelay tasks fail --all/)
    assert.match(imported.stdout, /1 callbacks and uploads are parked.*reelay deliveries resume --all/)

    const calls = receiver.received.length
    await using copy = await startServer({
      ...{ databaseUrl: database.url, dataDirectory: home, key: original.key },
      env: {
        ...gateway.server.env,
        REELAY_PORT: '0',
        DATABASE_URL: database.url,
        REELAY_DATA_DIR: home,
        REELAY_STORE: undefined,
      },
    })
    assert.match(copy.log(), /its open tasks are parked/)
    assert.match(copy.log(), /"resume":"reelay tasks resume --all"/)

    // A provider with one slot takes a new one at once: what is parked holds none.
    const fresh = await create(copy, BODY)
    await waitForStatus(copy, fresh.id, ['succeeded'])
    assert.deepEqual([upstream.jobs.length, receiver.received.length], [6, calls])
    assert.equal((await get(copy, running)).status, 'processing')
    assert.equal((await get(copy, first)).status, 'queued')
    const status = await statusOf(copy)
    assert.deepEqual([status.epoch, status.parked], [2, { tasks: 4, deliveries: 1 }])
    const doctor = await copy.command('doctor')
    assert.equal(doctor.code, 1)
    assert.match(doctor.stdout, /^FAIL {2}open work .*4 open tasks are parked/m)

    const balance = await credits(copy)
    assert.equal((await cancel(copy, first)).status, 'canceled')
    assert.equal(await credits(copy), balance + PRICE)
    jsonOf(await copy.command('tasks', 'fail', second, '--json'))
    assert.equal((await get(copy, second)).status, 'failed')
    assert.equal(await credits(copy), balance + 2 * PRICE)
    assert.equal(upstream.jobs.length, 6)

    jsonOf(await copy.command('tasks', 'resume', '--all', '--json'))
    for (const id of [running, third]) await waitForStatus(copy, id, ['succeeded'])
    // The one that ran is collected from the job that it had; the one that waited is begun, as its operator said.
    assert.equal(upstream.jobs.length, 7)
    assert.equal(receiver.received.length, calls)
    jsonOf(await copy.command('deliveries', 'resume', '--all', '--json'))
    await waitFor('the callback of the copy', () => receiver.received[calls])
    assert.deepEqual((await statusOf(copy)).parked, { tasks: 0, deliveries: 0 })
    await assertSound(copy)
  })

  test('tells nobody of what is given up or canceled in it, but by its operator’s word', async () => {
    await using receiver = await startReceiver(204)
    await using upstream = await ScriptedUpstream.start(xaiSpeech, { ...OPEN, video })
    await using gateway = await startGateway(configOf(upstream), { env: { KEY_A: FIRST_KEY } })
    const { server } = gateway
    const body = { prompt: 'x', aspect_ratio: '1:1', resolution: '480p', duration: 6, async: true }
    for (const callback_url of [`${receiver.url}/running`, `${receiver.url}/queued`]) {
      assert.equal((await server.ask('POST', '/grok/videos', { body: { ...body, callback_url } })).status, 200)
    }
    await waitFor('a job', () => upstream.jobs[0])
    await server.terminate()

    const url = server.databaseUrl ?? ''
    await using copied = await copyOf(url)
    await using copy = await startServer({
      ...{ databaseUrl: copied.url, dataDirectory: server.dataDirectory, key: server.key },
      env: { ...server.env, REELAY_PORT: '0', DATABASE_URL: copied.url, REELAY_STORE: undefined },
    })
    assert.match(copy.log(), /the database was copied since it was last served/)
    assert.deepEqual((await statusOf(copy)).parked, { tasks: 2, deliveries: 0 })
    jsonOf(await copy.command('tasks', 'fail', '--all', '--json'))
    assert.deepEqual((await statusOf(copy)).parked, { tasks: 0, deliveries: 2 })
    jsonOf(await copy.command('deliveries', 'drop', '--all', '--json'))
    const fresh = await create(copy, { model: 'grok-imagine-video', prompt: 'sandbox:fail' })
    await waitForStatus(copy, fresh.id, ['processing', 'failed'])
    assert.deepEqual(receiver.received, [])
    assert.equal(await credits(copy), CREDITS - PRICE)
    await assertSound(copy)
    await copy.restart()
    assert.equal((await statusOf(copy)).epoch, 2, 'a restart in the same place begins no epoch')
  })
})

/** What a dump that is read into another database gives. */
async function copyOf(url: string): Promise<AsyncDisposable & { readonly url: string }> {
  const source = new URL(url).pathname.slice(1)
  const name = `${source}_copy`
  await administer(url, `create database ${name} template ${source}`)
  return {
    url: databaseUrl(url, name),
    async [Symbol.asyncDispose]() {
      await administer(url, `drop database if exists ${name} with (force)`)
    },
  }
}
