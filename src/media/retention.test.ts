import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { insertMediaRow } from '../../test/support/media-row.ts'
import type { MediaId } from '../canonical/ids.ts'
import { DiskStore } from './disk-store.ts'
import { selectServedMedia } from './queries.ts'
import { sweepExpiredMedia } from './retention.ts'
import type { Store } from './store.ts'

const content = Buffer.from('bytes')
const errors: string[] = []
const log = { error: (_fields: unknown, message?: string) => void errors.push(message ?? '') }
let database: TestDatabase
let folder: string
let store: Store
let files = 0

async function stored(keepSeconds: number): Promise<{ id: MediaId; storeKey: string }> {
  files += 1
  const storeKey = `aa/${files}/video.mp4`
  await store.put(storeKey, join(folder, 'source'))
  return { storeKey, id: await insertMediaRow(database.pool, { storeKey, content, keepSeconds }) }
}

const sweep = (change: Partial<{ store: Store; limit: number }> = {}): Promise<number> =>
  sweepExpiredMedia({ db: database.pool, store, log, limit: 100, ...change })

/** A store that fails, or dies, when it is to delete. */
function storeThatDeletes(how: (key: string) => Promise<void>): Store {
  const { put, open, stat, check } = store
  return { put, open, stat, check, delete: how, deleteAll: (folder, options) => store.deleteAll(folder, options) }
}

describe('sweepExpiredMedia', () => {
  before(async () => {
    database = await testDatabase()
    folder = await mkdtemp(join(tmpdir(), 'reelay-retention-'))
    store = await DiskStore.open(join(folder, 'store'))
    await writeFile(join(folder, 'source'), content)
  })
  after(async () => {
    await database[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  it('deletes what is over, keeps what is not, and is done the second time', async () => {
    const over = await stored(-1)
    const kept = await stored(3600)
    assert.equal(await sweep(), 1)
    assert.equal(await store.stat(over.storeKey), undefined)
    assert.deepEqual(await store.stat(kept.storeKey), { sizeBytes: content.length })
    assert.equal((await selectServedMedia(database.pool, over.id))?.state, 'deleted')
    assert.equal((await selectServedMedia(database.pool, kept.id))?.state, 'kept')
    assert.equal(await sweep(), 0)
  })

  it('no longer serves what is over, even before it is swept', async () => {
    const over = await stored(-1)
    assert.equal((await selectServedMedia(database.pool, over.id))?.state, 'deleted')
    assert.equal(await sweep(), 1)
  })

  it('goes on where a sweep was killed between the file and the row', async () => {
    const over = await stored(-1)
    await store.delete(over.storeKey)
    assert.equal(await sweep(), 1)
  })

  it('counts each file once when several nodes sweep together', async () => {
    for (let n = 0; n < 10; n += 1) await stored(-1)
    const counts = await Promise.all([sweep(), sweep(), sweep()])
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      10,
    )
  })

  it('does not say that a file is deleted when it could not be, and deletes it an hour later', async () => {
    const stuck = await stored(-10)
    const failing = storeThatDeletes(() => Promise.reject(new Error('read-only')))
    assert.equal(await sweep({ store: failing }), 1)
    assert.match(errors.join(), /could not be deleted/)
    const row = [stuck.storeKey]
    const { rows } = await database.pool.query<{ wait: number }>(
      `select extract(epoch from delete_again_at - now())::float8 as wait from media
       where store_key = $1 and deleted_at is null`,
      row,
    )
    const wait = rows[0]?.wait ?? 0
    assert.ok(wait > 3_500 && wait <= 3_600, `${wait} s`)
    assert.equal((await selectServedMedia(database.pool, stuck.id))?.state, 'deleted', 'nor is it served')
    assert.equal(await sweep(), 0)
    await database.pool.query('update media set delete_again_at = now() where store_key = $1', row)
    assert.equal(await sweep(), 1)
    assert.equal(await store.stat(stuck.storeKey), undefined)
  })

  it('is not held up by files that cannot be deleted, even by more than it takes on at once', async () => {
    const stuck = new Set<string>()
    for (let n = 0; n < 5; n += 1) stuck.add((await stored(-100)).storeKey)
    const other = await stored(-1)
    const failing = storeThatDeletes((key) => {
      return stuck.has(key) ? Promise.reject(new Error('read-only')) : store.delete(key)
    })
    const counts = [await sweep({ store: failing, limit: 3 }), await sweep({ store: failing, limit: 3 })]
    assert.deepEqual(counts, [3, 3])
    assert.equal(await store.stat(other.storeKey), undefined)
    // Due again, they stand behind whatever became due while they waited.
    await database.pool.query(`update media set delete_again_at = now() where delete_again_at is not null`)
    const later = await stored(-1)
    assert.equal(await sweep({ store: failing, limit: 1 }), 1)
    assert.equal(await store.stat(later.storeKey), undefined)
    assert.equal(await sweep(), 5)
  })

  it('deletes no more than its limit, longest overdue first', async () => {
    const later = await stored(-1)
    const first = await stored(-100)
    assert.equal(await sweep({ limit: 1 }), 1)
    assert.equal(await store.stat(first.storeKey), undefined)
    assert.notEqual(await store.stat(later.storeKey), undefined)
  })
})
