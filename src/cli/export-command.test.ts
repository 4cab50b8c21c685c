import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { testDatabase } from '../../test/support/database.ts'
import { exportCommand } from './export-command.ts'

test('an export is on the disk, whole, before it takes the name of the one before it', async (context) => {
  await using database = await testDatabase()
  const directory = await mkdtemp(join(tmpdir(), 'reelay-export-command-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  // This process runs nothing else.
  Object.assign(process.env, { DATABASE_URL: database.url, REELAY_DATA_DIR: join(directory, 'data') })
  const file = join(directory, 'backup.ndjson.gz')

  const synced: { readonly bytes: number; readonly isNamed: boolean }[] = []
  const probe = await open(directory)
  const handles = Object.getPrototypeOf(probe)
  await probe.close()
  context.mock.method(handles, 'sync', async function (this: typeof probe) {
    synced.push({ bytes: (await this.stat()).size, isNamed: existsSync(file) })
  })
  await exportCommand().parseAsync([file, '--json'], { from: 'user' })

  await using written = await open(file)
  assert.deepEqual(synced, [{ bytes: (await written.stat()).size, isNamed: false }])
  assert.deepEqual((await readdir(directory)).toSorted(), ['backup.ndjson.gz', 'data'])
})
