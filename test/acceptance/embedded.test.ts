/** Nothing installed, no settings: the server's own PostgreSQL, its backup, and what may run beside it. */
import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type CommandResult, runCli, startCli, startServer } from '../support/server.ts'
import { CHEAP, create, credits, type Generation, get, pageOf, waitForStatus } from './rivya.ts'
import { download, readVideoFile } from './video-file.ts'

function jsonOf(result: CommandResult): Record<string, unknown> {
  assert.equal(result.code, 0, result.stdout + result.stderr)
  return JSON.parse(result.stdout)
}

describe('a server without a database of the operator’s', () => {
  test('makes a video, lets commands work beside it, refuses a second server, and moves house by export and import', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reelay-embedded-'))
    const backup = join(directory, 'backup.ndjson.gz')
    try {
      const old = await startServer({ database: 'embedded', credits: 100 })
      let tasks: Generation[]
      try {
        const video = await create(old, { ...CHEAP, prompt: 'Snow on a mountain' })
        const failed = await create(old)

        const made = jsonOf(await old.command('accounts', 'create', 'Ada', '--credits', '30', '--json'))
        assert.equal(await credits(old, { key: String(made['key']) }), 30)

        const second = await runCli(['serve', '--json'], { ...old.env, REELAY_LOG_LEVEL: 'silent' })
        assert.equal(second.code, 1)
        assert.match(second.stdout, /^\{"error":\{"message":"[^"]+"\}\}\n$/)
        assert.ok(second.stdout.includes(old.dataDirectory), second.stdout)

        const ended = await waitForStatus(old, video.id, ['succeeded', 'failed'])
        assert.ok(ended.result, JSON.stringify(ended.error))
        assert.equal((await readVideoFile(await download(ended.result.primary_url))).frames, 144)
        await waitForStatus(old, failed.id, ['failed'])

        const { rows } = jsonOf(await old.command('export', backup, '--json'))
        assert.match(JSON.stringify(rows), /"tasks":2/)
        assert.equal((await stat(backup)).mode & 0o077, 0, 'nobody else may read a backup')
        assert.deepEqual(await readdir(directory), ['backup.ndjson.gz'])
        tasks = pageOf(await old.ask('GET', '/api/v1/generations')).data
        assert.equal(await credits(old), 90)

        const full = await old.command('import', backup, '--json')
        assert.equal(full.code, 1, 'an import never goes into a database that has something')
        assert.match(full.stdout, /"error"/)
        assert.equal(await credits(old), 90)

        const home = join(directory, 'new')
        // As a backup does: a file of the database, and a copy of the videos.
        await cp(join(old.dataDirectory, 'media'), join(home, 'media'), { recursive: true })
        const imported = jsonOf(await runCli(['import', backup, '--json'], { REELAY_DATA_DIR: home }))
        assert.deepEqual(imported['rows'], rows)

        await using next = await startServer({ database: 'embedded', dataDirectory: home, key: old.key })
        assert.equal(await credits(next), 90)
        assert.equal(await credits(next, { key: String(made['key']) }), 30)
        const moved = pageOf(await next.ask('GET', '/api/v1/generations')).data
        const bare = (each: Generation) => ({ ...each, result: each.result === null ? null : 'a link' })
        assert.deepEqual(moved.map(bare), tasks.map(bare))
        const again = await create(next)
        await waitForStatus(next, again.id, ['failed'])
        assert.equal(await credits(next), 90)
        assert.equal((await get(next, video.id)).status, 'succeeded')
      } finally {
        await old.stop()
      }
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    }
  })

  test('quickstart goes from nothing to a video, prints what one needs next, and with --exit ends', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reelay-quickstart-'))
    try {
      const { code, stdout, stderr } = await startCli(
        ['quickstart', '--exit', 'A desert at night'],
        { REELAY_PORT: '0' },
        directory,
      ).result
      assert.equal(code, 0, stdout + stderr)
      assert.match(stdout, /^ {2}key {6}rly_live_[\w-]{32}$/m)
      assert.match(stdout, /^ {2}address {2}http:\/\/127\.0\.0\.1:\d+$/m)
      assert.match(stdout, /curl -s http:\/\/127\.0\.0\.1:\d+\/api\/v1\/generations/)
      assert.match(stderr, /█{32} 100 % {2}succeeded/)
      const path = /^ {2}video {4}(\.\/out\/task_[0-9a-f]{32}\.mp4)$/m.exec(stdout)?.[1]
      assert.ok(path, stdout)
      assert.equal((await readVideoFile(new Uint8Array(await readFile(join(directory, path))))).frames, 144)
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    }
  })
})
