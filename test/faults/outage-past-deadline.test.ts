/**
 * What a provider has finished, and bills, is not thrown away by time: not by an outage that is longer than any deadline, not by a
 * store that cannot be written, and not by a job that says that it is done and gives no video.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { cancel, create, credits, get, waitForStatus } from '../acceptance/rivya.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import type { TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'
import { assertAtRest } from './sigkill.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }
const PRICE = 10
const ENDED = ['succeeded', 'failed', 'canceled'] as const

describe('a provider that finishes', () => {
  let folder: string
  let upstream: ScriptedUpstream
  let gateway: Gateway
  let server: TestServer
  let balance: number
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-outage-'))
    const path = join(folder, 'video.mp4')
    const video = await readFile(await writeTestVideo({ path, durationSeconds: 6, width: 480, height: 720 }))
    upstream = await ScriptedUpstream.start(xaiSpeech, { video, life: { pendingPolls: 1e9, ends: 'succeeded' } })
    const main = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2, concurrency: 1 }
    gateway = await startGateway(
      { providers: { main }, models: { '*': { providers: ['main'] } } },
      { env: { KEY: FIRST_KEY } },
    )
    server = gateway.server
  })
  beforeEach(async () => {
    balance = await credits(server)
  })
  after(async () => {
    await gateway[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** A task whose job runs at the upstream. */
  async function running(): Promise<string> {
    const [jobs, polls] = [upstream.jobs.length, upstream.count('poll')]
    const { id } = await create(server, BODY)
    await waitFor('its job to be polled', () =>
      upstream.jobs.length > jobs && upstream.count('poll') > polls ? true : undefined,
    )
    return id
  }

  /** As if two hours had passed, which is longer than any deadline here. */
  async function letTwoHoursPass(): Promise<void> {
    await server.withDatabase((pool) =>
      pool.query(
        `update tasks set created_at = created_at - interval '2 hours', started_at = started_at - interval '2 hours',
           due_at = due_at - interval '2 hours', lease_until = lease_until - interval '2 hours',
           deadline_at = deadline_at - interval '2 hours'
         where finished_at is null`,
      ),
    )
  }

  /** Lets pauses between two looks be over. */
  async function hurry(): Promise<void> {
    await server.withDatabase((pool) =>
      pool.query('update tasks set due_at = now() where finished_at is null and due_at is distinct from lease_until'),
    )
  }

  test('while the server is killed, and stays away past every deadline, has its video delivered', async () => {
    const id = await running()
    await server.kill()
    upstream.setJob({ state: 'succeeded' })
    await letTwoHoursPass()
    await server.start()
    assert.equal((await waitForStatus(server, id, ENDED)).status, 'succeeded')
    assert.equal(await credits(server), balance - PRICE)
    await assertAtRest(server)
  })

  test('after the server was away past every deadline, while the job runs on, has its video delivered', async () => {
    const id = await running()
    const jobs = upstream.jobs.length
    await server.kill()
    await letTwoHoursPass()
    const polls = upstream.count('poll')
    await server.start()
    await waitFor('its job to be polled again', () => (upstream.count('poll') > polls + 1 ? true : undefined))
    assert.equal((await get(server, id)).status, 'processing')
    upstream.setJob({ state: 'succeeded' })
    assert.equal((await waitForStatus(server, id, ENDED)).status, 'succeeded')
    assert.equal(upstream.jobs.length, jobs)
  })

  test('while the store cannot be written has its video delivered when it can; meanwhile nothing more is bought', async () => {
    const first = await running()
    const jobs = upstream.jobs.length
    const media = join(server.dataDirectory, 'media')
    await rename(media, `${media}.away`)
    await writeFile(media, 'no folder')
    upstream.setJob({ state: 'succeeded' })
    await waitFor('the pause to be logged', () => (server.log().includes('videos cannot be stored') ? true : undefined))
    await waitFor('/readyz to say so', async () => {
      const { status, body } = await server.ask('GET', '/readyz', { key: null })
      assert.equal(status, 200, 'requests are still served')
      return JSON.stringify(body).includes('"storage":false') ? true : undefined
    })
    assert.match((await server.ask('GET', '/metrics', { key: null })).text, /^reelay_storage_writable 0$/m)
    const second = await create(server, BODY)
    await letTwoHoursPass()
    const files = upstream.count('file')
    await waitFor('the video to be fetched again', async () => {
      await hurry()
      return upstream.count('file') > files + 1 ? true : undefined
    })
    assert.equal((await get(server, first)).status, 'processing')
    assert.equal((await get(server, second.id)).status, 'queued')
    assert.equal(upstream.jobs.length, jobs, 'no job was bought whose video could not be stored')
    await rm(media)
    await rename(`${media}.away`, media)
    await waitFor('the first video', async () => {
      await hurry()
      return (await get(server, first)).status === 'succeeded' ? true : undefined
    })
    await waitFor('the second job to be begun', () => (upstream.jobs.length === jobs + 1 ? true : undefined))
    upstream.setJob({ state: 'succeeded' })
    assert.equal((await waitForStatus(server, second.id, ENDED)).status, 'succeeded')
    assert.equal(await credits(server), balance - 2 * PRICE)
    await assertAtRest(server)
  })

  test('without a video holds no slot, can be canceled, and fails after a few looks, its credits back', async () => {
    const empty = await running()
    upstream.setJob({ state: 'empty' })
    const canceled = await running()
    assert.equal((await get(server, empty)).status, 'processing', 'the only slot was free while it waited')
    upstream.setJob({ state: 'empty' })
    await waitFor('it to be known as finished', async () => (await slotIsFree(canceled)) || undefined)
    await cancel(server, canceled)
    assert.equal((await waitForStatus(server, canceled, ENDED)).status, 'canceled')
    const ended = await waitFor('it to fail', async () => {
      await hurry()
      const found = await get(server, empty)
      return found.status === 'processing' ? undefined : found
    })
    assert.equal(ended.status, 'failed')
    assert.equal(await credits(server), balance)
    const { text } = await server.ask('GET', '/metrics', { key: null })
    assert.match(text, /^reelay_unusable_results_total\{provider="main",fault="no video"\} 1$/m)
    await assertAtRest(server)
  })

  function slotIsFree(id: string): Promise<boolean> {
    return server.withDatabase(async (pool) => {
      const uuid = id.slice('task_'.length)
      const { rows } = await pool.query('select from tasks where id = $1::uuid and not holds_slot', [uuid])
      return rows.length === 1
    })
  }
})
