/**
 * A job that a provider has accepted is never forgotten: whatever happens to the server or its database between the
 * provider's answer and the row that says so, the job is followed, nothing is bought twice, and the operator can find it.
 */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { parseId, uuidOf } from '../../src/canonical/ids.ts'
import { type DatabaseGate, openDatabaseGate } from '../acceptance/database-gate.ts'
import { create, waitForStatus } from '../acceptance/rivya.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { waitFor, within } from '../support/patience.ts'
import type { TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }

/** What an orchestrator gives by default, and what a save was once given up after. */
const LONG_MS = 11_000

/** What a frozen process oversleeps. */
const SHORT_TIMEOUT_SECONDS = 2

const NOT_SAVED = /an accepted job could not be saved/

interface AttemptTrace {
  readonly state: string
  readonly operation: { readonly id?: string } | null
  readonly error: string | null
}

describe('a job that the provider has accepted', () => {
  let folder: string
  let database: TestDatabase
  let gate: DatabaseGate
  let upstream: ScriptedUpstream
  let gateway: Gateway
  let server: TestServer
  /** Not through the gate. */
  let pool: pg.Pool

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-accepted-'))
    const path = join(folder, 'video.mp4')
    const video = await readFile(await writeTestVideo({ path, durationSeconds: 6, width: 480, height: 720 }))
    upstream = await ScriptedUpstream.start(xaiSpeech, { video })
    database = await testDatabase()
    gate = await openDatabaseGate(database.url)
    pool = new pg.Pool({ connectionString: database.url, max: 2 })
    const env = { KEY: FIRST_KEY, REELAY_DRAIN_SECONDS: '30' }
    gateway = await startGateway(configWith({}), { env, databaseUrl: gate.url })
    server = gateway.server
  })
  beforeEach(async () => {
    await gate.open()
    if (await within(0, server.exited)) await server.start()
  })
  after(async () => {
    await gate.open()
    await gateway[Symbol.asyncDispose]()
    await pool.end()
    await gate[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  function configWith(settings: { timeoutSeconds?: number }): unknown {
    const main = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2, ...settings }
    return { providers: { main }, models: { '*': { providers: ['main', 'animatic'] } } }
  }

  /** A task whose create has made a job upstream, and is answered when `answer` is called. */
  async function heldCreate(): Promise<{ id: string; answer: () => void }> {
    const jobs = upstream.jobs.length
    let answer = () => {}
    const until = new Promise<void>((resolve) => {
      answer = resolve
    })
    upstream.script('create', { kind: 'hold', until })
    const { id } = await create(server, BODY)
    await waitFor('the job to be made', () => upstream.jobs.length > jobs || undefined)
    return { id, answer }
  }

  async function attemptsOf(id: string): Promise<AttemptTrace[]> {
    const { rows } = await pool.query<AttemptTrace>(
      'select state, operation, error from attempts where task_id = $1 order by number',
      [uuidOfTask(id)],
    )
    return rows
  }

  /** It has its video, which came of the one job that was made. */
  async function assertFollowed(id: string, jobsBefore: number): Promise<void> {
    const ended = await waitForStatus(server, id, ['succeeded', 'failed'])
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    assert.equal(upstream.jobs.length, jobsBefore + 1)
    assert.deepEqual(
      (await attemptsOf(id)).map(({ state, operation }) => [state, operation?.id]),
      [['succeeded', upstream.jobs.at(-1)?.id]],
    )
  }

  const journal = () => join(server.dataDirectory, 'journal')

  /** What lies in the journal, as text. */
  async function journaled(): Promise<string> {
    const names = await readdir(journal()).catch(() => [])
    return (await Promise.all(names.map((name) => readFile(join(journal(), name), 'utf8')))).join('')
  }

  const logged = (what: RegExp, after: number) =>
    waitFor(`the log to say ${what}`, () => what.test(server.log().slice(after)) || undefined)

  async function passes(ms: number): Promise<void> {
    const began = performance.now()
    await waitFor(`${ms} ms to pass`, () => performance.now() - began > ms || undefined)
  }

  test('while the server drains is saved, and the next start follows it', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    const before = server.log().length
    process.kill(server.pid ?? Number.NaN, 'SIGTERM')
    await logged(/"stopping"/, before)
    await passes(LONG_MS)
    answer()
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.deepEqual(
      (await attemptsOf(id)).map(({ state, operation }) => [state, operation?.id]),
      [['accepted', upstream.jobs.at(-1)?.id]],
    )
    await server.start()
    await assertFollowed(id, jobs)
    assert.equal(await journaled(), '')
  })

  test('while the database is away for long is saved when it is back', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    const before = server.log().length
    await gate.close()
    answer()
    await logged(NOT_SAVED, before)
    await passes(LONG_MS)
    await gate.open()
    await assertFollowed(id, jobs)
    await waitFor('the journal to be empty', async () => (await journaled()) === '' || undefined)
  })

  test('and was not saved when the server was killed is in its journal, whose torn end harms nothing', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    const before = server.log().length
    await gate.close()
    answer()
    await logged(NOT_SAVED, before)
    await server.kill()
    const [name, ...others] = await readdir(journal())
    assert.ok(name !== undefined && others.length === 0)
    const path = join(journal(), name)
    assert.deepEqual([(await stat(journal())).mode & 0o777, (await stat(path)).mode & 0o777], [0o700, 0o600])
    await appendFile(path, '0123456789abcdef {"task":"task_')
    await gate.open()
    await server.start()
    await assertFollowed(id, jobs)
    assert.match(server.log().slice(before), /damaged lines of the journal/)
    assert.equal(await journaled(), '')
  })

  test('is in the journal before a second signal ends the server', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    const before = server.log().length
    await gate.close()
    process.kill(server.pid ?? Number.NaN, 'SIGTERM')
    await logged(/"stopping"/, before)
    answer()
    await logged(NOT_SAVED, before)
    process.kill(server.pid ?? Number.NaN, 'SIGTERM')
    assert.deepEqual(await server.exited, { code: 1, signal: null })
    assert.doesNotMatch(server.log().slice(before), /not everything ended in time/)
    assert.match(await journaled(), new RegExp(id))
    await gate.open()
    await server.start()
    await assertFollowed(id, jobs)
  })

  test('is saved when the disk does not take it, either, and the database is back', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    const before = server.log().length
    await rm(journal(), { recursive: true })
    await writeFile(journal(), 'no folder')
    await gate.close()
    answer()
    await logged(/could not be written to the journal/, before)
    await logged(NOT_SAVED, before)
    await gate.open()
    await assertFollowed(id, jobs)
    await rm(journal())
  })

  test('after its task has ended is told to the operator, with the provider’s id', async () => {
    const jobs = upstream.jobs.length
    const { id, answer } = await heldCreate()
    await pool.query(`select settle_task($1, null, array['submitting'], 'expired', 0, null, null, '[]')`, [
      uuidOfTask(id),
    ])
    answer()
    await waitFor(
      'the attempt to have its operation',
      async () => (await attemptsOf(id))[0]?.operation !== null || undefined,
    )
    const shown = await server.command('tasks', 'show', id, '--json')
    assert.equal(shown.code, 0, shown.stderr)
    const { state, attempts } = JSON.parse(shown.stdout)
    assert.equal(state, 'expired')
    assert.equal(attempts.length, 1)
    assert.equal(attempts[0].operation.id, upstream.jobs.at(-1)?.id)
    assert.match(attempts[0].error, /accepted the job after the task had ended/)
    assert.equal(upstream.jobs.length, jobs + 1)
  })

  test('while the server was frozen for longer than it waits for answers is followed', async () => {
    const jobs = upstream.jobs.length
    await gateway.reload(configWith({ timeoutSeconds: SHORT_TIMEOUT_SECONDS }))
    const { id, answer } = await heldCreate()
    const { pid = Number.NaN } = server
    process.kill(pid, 'SIGSTOP')
    answer()
    await passes(SHORT_TIMEOUT_SECONDS * 1_000 + 3_000)
    process.kill(pid, 'SIGCONT')
    await assertFollowed(id, jobs)
  })
})

function uuidOfTask(id: string): string {
  const parsed = parseId('task', id)
  assert.ok(parsed !== undefined)
  return uuidOf(parsed)
}
