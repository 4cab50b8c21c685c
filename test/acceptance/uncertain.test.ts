/** A start of which nobody knows whether it arrived: its money stays held until somebody, or the time, decides; once. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { findViolations } from '../../src/ledger/invariants.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { waitFor } from '../support/patience.ts'
import type { TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'
import { cancel, create, credits, get, waitForStatus } from './rivya.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }
const PRICE = 10
const UNCERTAIN_SECONDS = 120

describe('an attempt that is uncertain', () => {
  let folder: string
  let upstream: ScriptedUpstream
  let gateway: Gateway
  let server: TestServer
  let balance: number
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-uncertain-'))
    const path = join(folder, 'video.mp4')
    const video = await readFile(await writeTestVideo({ path, durationSeconds: 6, width: 480, height: 720 }))
    upstream = await ScriptedUpstream.start(xaiSpeech, { video })
    const main = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2 }
    const config = {
      providers: { main },
      models: { '*': { providers: ['main', 'animatic'] } },
      deadlines: { uncertainSeconds: UNCERTAIN_SECONDS },
    }
    gateway = await startGateway(config, { env: { KEY: FIRST_KEY } })
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

  /** A task whose create made a job, and whose answer was lost. */
  async function uncertainTask(): Promise<string> {
    upstream.script('create', { kind: 'reset after reading' })
    const { id } = await create(server, BODY)
    await waitFor('the attempt to be uncertain', async () =>
      (await attemptStates(id)).includes('uncertain') ? true : undefined,
    )
    return id
  }

  async function shown(
    id: string,
  ): Promise<{ state: string; finalCredits: number; attempts: { state: string; provider: string }[] }> {
    const ran = await server.command('tasks', 'show', id, '--json')
    assert.equal(ran.code, 0, ran.stderr)
    return JSON.parse(ran.stdout)
  }

  function attemptStates(id: string): Promise<string[]> {
    return server.withDatabase(async (pool) => {
      const { rows } = await pool.query<{ state: string }>(
        'select state from attempts where task_id = $1 order by number',
        [uuid(id)],
      )
      return rows.map(({ state }) => state)
    })
  }

  /** Transfers of the task by kind, as the ledger has them; and nothing in the ledger breaks a promise. */
  function transfers(id: string): Promise<Record<string, number>> {
    return server.withDatabase(async (pool) => {
      assert.deepEqual(await findViolations(pool), [])
      const { rows } = await pool.query<{ kind: string; count: number }>(
        'select kind, count(*)::integer as count from ledger_transfers where task_id = $1 group by kind',
        [uuid(id)],
      )
      return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))
    })
  }

  const resolve = (id: string, ...how: string[]) => server.command('tasks', 'resolve', id, ...how, '--json')

  async function assertResolved(id: string, ...how: string[]): Promise<void> {
    const ran = await resolve(id, ...how)
    assert.deepEqual([ran.code, ran.stdout], [0, `${JSON.stringify({ id, resolved: true })}\n`], ran.stderr)
    // Twice is once: nobody can decide again.
    assert.equal((await resolve(id, '--failed')).code, 1)
  }

  test('holds its credits, is told to the operator, and is begun again nowhere, over a restart too', async () => {
    const jobs = upstream.jobs.length
    const id = await uncertainTask()
    const listed = await server.command('tasks', 'uncertain', '--json')
    const found = JSON.parse(listed.stdout).tasks.find(({ task }: { task: string }) => task === id)
    assert.deepEqual([found.provider, found.heldCredits], ['main', PRICE])
    const heldFor = (Date.parse(found.endsAt) - Date.parse(found.startedAt)) / 1_000
    assert.ok(Math.abs(heldFor - UNCERTAIN_SECONDS) < 10, `${heldFor} s`)
    assert.match((await server.command('tasks', 'uncertain')).stdout, new RegExp(`^${id}  main +${PRICE} `, 'm'))
    await server.restart()
    assert.equal((await get(server, id)).status, 'processing')
    assert.deepEqual(await attemptStates(id), ['uncertain'])
    assert.deepEqual(await transfers(id), { reserve: 1 })
    assert.deepEqual([await credits(server), upstream.jobs.length], [balance - PRICE, jobs + 1])
    assert.match(server.log(), /attempt is uncertain: not repeated/)
    await assertResolved(id, '--failed')
  })

  test('given up by the operator, fails and releases once', async () => {
    const id = await uncertainTask()
    await assertResolved(id, '--failed')
    const { status, final_credits, error } = await get(server, id)
    assert.deepEqual([status, final_credits, error?.code], ['failed', 0, 'generation_failed'])
    assert.deepEqual([await transfers(id), await credits(server)], [{ reserve: 1, release: 1 }, balance])
  })

  test('found at the provider by the operator, is followed there and captured once', async () => {
    const id = await uncertainTask()
    const jobs = upstream.jobs.length
    await assertResolved(id, '--operation', JSON.stringify({ id: upstream.jobs.at(-1)?.id }))
    assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
    assert.deepEqual([await transfers(id), await credits(server)], [{ reserve: 1, capture: 1 }, balance - PRICE])
    assert.equal(upstream.jobs.length, jobs)
  })

  test('not found at the provider by the operator, is begun again as a new attempt and captured once', async () => {
    const id = await uncertainTask()
    await assertResolved(id, '--undelivered')
    assert.equal((await waitForStatus(server, id, ['succeeded', 'failed'])).status, 'succeeded')
    const { attempts } = await shown(id)
    assert.deepEqual(
      attempts.map(({ state }) => state),
      ['undelivered', 'succeeded'],
    )
    assert.deepEqual([await transfers(id), await credits(server)], [{ reserve: 1, capture: 1 }, balance - PRICE])
  })

  test('ends by time: expired, and released once', async () => {
    const id = await uncertainTask()
    await server.withDatabase((pool) =>
      pool.query('update tasks set deadline_at = now(), due_at = now() where id = $1', [uuid(id)]),
    )
    assert.equal((await waitForStatus(server, id, ['failed'])).final_credits, 0)
    assert.deepEqual([await transfers(id), await credits(server)], [{ reserve: 1, release: 1 }, balance])
    assert.equal((await resolve(id, '--failed')).code, 1)
  })

  test('is canceled by its customer, and released once', async () => {
    const id = await uncertainTask()
    await cancel(server, id)
    assert.equal((await waitForStatus(server, id, ['canceled'])).final_credits, 0)
    assert.deepEqual([await transfers(id), await credits(server)], [{ reserve: 1, release: 1 }, balance])
  })

  test('is resolved in one of three ways only, and only if it is one', async () => {
    const { id } = await create(server, BODY)
    await waitForStatus(server, id, ['succeeded'])
    for (const [task, how, says] of [
      [id, ['--failed'], 'is no uncertain task'],
      [id, [], 'Say one of --undelivered, --operation and --failed'],
      [id, ['--failed', '--undelivered'], 'Say one of'],
      [id, ['--operation', '[]'], '--operation must be a JSON object'],
      [id, ['--operation', '{"request_id":"7"}'], '--operation must be a JSON object'],
      ['task_nonsense', ['--failed'], 'task_nonsense'],
    ] as const) {
      const ran = await resolve(task, ...how)
      assert.equal(ran.code, 1)
      assert.ok(ran.stdout.includes(says), ran.stdout)
    }
    assert.deepEqual(await transfers(id), { reserve: 1, capture: 1 })
    assert.match((await server.command('tasks', 'show', `task_${'0'.repeat(32)}`)).stderr, /There is no task/)
  })
})

function uuid(id: string): string {
  return id.replace('task_', '')
}
