/**
 * A worker that is frozen while it downloads a video loses its lease; another one fetches the video and ends the task. When the
 * first one wakes, nothing that it does may change, or bring back, what the second one stored: the store is shared, and the
 * upstream's bytes differ from download to download, as those of vendors that sign or remux do.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { parseId, uuidOf } from '../../src/canonical/ids.ts'
import { create, get, waitForStatus } from '../acceptance/rivya.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { writeTestVideo } from '../support/test-video.ts'
import { FIRST_KEY, ScriptedUpstream } from '../support/upstream/scripted-upstream.ts'
import { xaiSpeech } from '../support/upstream/xai-speech.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'A quiet sea at dawn' }

/** A box of no meaning behind a video: other bytes, the same video. */
const FREE_BOX = Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.from('free12345678')])

describe('a worker that was frozen while it downloaded', () => {
  let folder: string
  let database: TestDatabase
  let upstream: ScriptedUpstream
  let pool: pg.Pool
  let first: TestServer
  let second: TestServer
  let video: Buffer

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-stale-'))
    const path = await writeTestVideo({
      path: join(folder, 'video.mp4'),
      durationSeconds: 6,
      width: 480,
      height: 720,
    })
    video = await readFile(path)
    upstream = await ScriptedUpstream.start(xaiSpeech, { video })
    database = await testDatabase()
    pool = new pg.Pool({ connectionString: database.url, max: 2 })
    const file = join(folder, 'reelay.config.json')
    const main = { kind: 'xai', baseUrl: upstream.baseUrl, apiKey: 'env:KEY', pollSeconds: 0.2 }
    await writeFile(file, JSON.stringify({ providers: { main }, models: { '*': { providers: ['main'] } } }))
    const env = {
      KEY: FIRST_KEY,
      REELAY_CONFIG: file,
      REELAY_ALLOW_NETS: '127.0.0.0/8',
      REELAY_STORE: `file://${join(folder, 'store')}`,
    }
    first = await startServer({ databaseUrl: database.url, env })
    // It only answers until the first one is frozen.
    second = await startServer({ databaseUrl: database.url, env: { ...env, REELAY_ROLE: 'api' }, key: first.key })
  })
  after(async () => {
    // Frozen still, where a test failed.
    if (first.pid !== undefined) process.kill(first.pid, 'SIGCONT')
    await first.stop()
    await second.stop()
    await pool.end()
    await database[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** A task that the second worker ended while the first one stood still in the middle of its video. */
  async function overtaken(): Promise<{ readonly id: string; readonly wake: () => void }> {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const downloads = upstream.count('file')
    upstream.video = video
    upstream.script('file', { kind: 'hold', until: held })
    const { id } = await create(second, BODY)
    await waitFor('the first worker to download', () => upstream.count('file') > downloads)
    const { pid } = first
    assert.ok(pid !== undefined)
    process.kill(pid, 'SIGSTOP')
    upstream.video = Buffer.concat([video, FREE_BOX])
    await pool.query('update tasks set lease_until = now(), due_at = now() where id = $1', [uuidOfTask(id)])
    await second.restart({ REELAY_ROLE: 'all' })
    const ended = await waitForStatus(second, id, ['succeeded', 'failed'])
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    return {
      id,
      wake: () => {
        release()
        process.kill(pid, 'SIGCONT')
      },
    }
  }

  async function untilFirstKnows(id: string): Promise<void> {
    await waitFor('the first worker to learn that it came too late', () =>
      first
        .log()
        .split('\n')
        .some((line) => line.includes(id) && /too late|lost|fence|lease/.test(line)),
    )
  }

  const filesOf = async (id: string) =>
    (await readdir(join(folder, 'store'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => path.includes(id) || path.includes(uuidOfTask(id)))

  test('changes nothing of the video that another one stored', async () => {
    const { id, wake } = await overtaken()
    const url = (await get(second, id)).result?.primary_url ?? ''
    const before = Buffer.from(await (await fetch(url)).arrayBuffer())
    wake()
    await untilFirstKnows(id)
    const answer = await fetch(url)
    const after = Buffer.from(await answer.arrayBuffer())
    assert.ok(before.equals(after), 'the bytes are those that were settled')
    const { rows } = await pool.query<{ sha256: string }>(
      `select encode(sha256, 'hex') as sha256 from media where task_id = $1 and kind = 'video'`,
      [uuidOfTask(id)],
    )
    assert.equal(createHash('sha256').update(after).digest('hex'), rows[0]?.sha256)
    const { rows: kept } = await pool.query('select from media where task_id = $1 and deleted_at is null', [
      uuidOfTask(id),
    ])
    await waitFor('what the first one wrote to be gone', async () => (await filesOf(id)).length === kept.length)
  })

  test('brings back nothing that its owner has deleted', async () => {
    await second.restart({ REELAY_ROLE: 'api' })
    const { id, wake } = await overtaken()
    const removed = await second.ask('DELETE', `/openai/v1/videos/${id.replace('task_', 'video_')}`)
    assert.equal(removed.status, 200, removed.text)
    // Its chores run at once.
    await second.restart({ REELAY_ROLE: 'all' })
    await waitFor('the files to be deleted', async () => (await filesOf(id)).length === 0)
    wake()
    await untilFirstKnows(id)
    await waitFor('nothing to be left', async () => (await filesOf(id)).length === 0)
  })
})

function uuidOfTask(id: string): string {
  const task = parseId('task', id)
  assert.ok(task !== undefined)
  return uuidOf(task)
}
