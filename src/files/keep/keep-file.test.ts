import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { examinedFile } from '../../../test/support/examined-file.ts'
import { type FilesDesk, openFilesDesk } from '../../../test/support/files-desk.ts'
import { newId } from '../../canonical/ids.ts'
import { inTransaction } from '../../db/database.ts'
import type { Store } from '../../media/store.ts'
import type { FileOwner } from '../file-owner.ts'
import type { FilesContext } from '../files-context.ts'
import { insertFileOfStoredBlob, selectFile, selectFiles } from '../queries.ts'
import { sweepFiles } from '../sweep-files.ts'
import { keepFile } from './keep-file.ts'

const DAY_MS = 86_400_000
const content = () => randomBytes(1_000)
let desk: FilesDesk
let owner: FileOwner

/** A store that does something beside, once a file has been put. */
function afterPut(then: () => Promise<unknown>): FilesContext {
  const { store } = desk
  const slow: Store = {
    put: async (key, path) => {
      const stored = await store.put(key, path)
      await then()
      return stored
    },
    open: (key, span) => store.open(key, span),
    stat: (key) => store.stat(key),
    delete: (key) => store.delete(key),
    check: () => store.check(),
    deleteAll: (folder, options) => store.deleteAll(folder, options),
  }
  return { ...desk.context, store: slow }
}

async function blobs(): Promise<{ store_key: string; is_stored: boolean }[]> {
  const { rows } = await desk.pool.query<{ store_key: string; is_stored: boolean }>(
    'select store_key, stored_at is not null as is_stored from file_blobs order by created_at',
  )
  return rows
}

describe('keepFile', () => {
  before(async () => {
    desk = await openFilesDesk()
  })
  beforeEach(async () => {
    owner = await desk.account()
    await desk.pool.query('delete from files')
    await desk.pool.query('delete from file_blobs')
    for (const key of await desk.objects()) await desk.store.delete(key)
  })
  after(() => desk[Symbol.asyncDispose]())

  it('keeps an upload for as long as the plan says, and lists it', async () => {
    const file = await examinedFile(desk.folder, content(), { kind: 'video', durationSeconds: 5.041 })
    const kept = await keepFile(desk.context, { owner, purpose: 'upload', file })
    assert.equal(kept.expiresAt.getTime() - kept.createdAt.getTime(), 7 * DAY_MS)
    assert.deepEqual(await desk.objects(), [kept.storeKey])
    assert.match(kept.storeKey, /^files\/[0-9a-f]{2}\/[0-9a-f-]{36}\.png$/)
    const { sha256, storeKey, ...shown } = kept
    assert.equal(sha256, file.sha256)
    assert.deepEqual(
      [kept.name, kept.sizeBytes, kept.width, kept.height, kept.durationSeconds],
      [file.name, 1_000, 640, 360, 5.041],
    )
    assert.deepEqual(await selectFiles(desk.pool, { wallet: owner.wallet, after: undefined, limit: 10 }), [shown])
    assert.deepEqual(await selectFile(desk.pool, owner.wallet, kept.id), { state: 'kept', file: kept })
  })

  it('keeps what was fetched for a request for a day, in no list', async () => {
    const kept = await keepFile(desk.context, {
      owner,
      purpose: 'reference',
      file: await examinedFile(desk.folder, content()),
    })
    assert.equal(kept.expiresAt.getTime() - kept.createdAt.getTime(), DAY_MS)
    assert.deepEqual(await selectFiles(desk.pool, { wallet: owner.wallet, after: undefined, limit: 10 }), [])
  })

  it('stores equal bytes once for an account, and apart for two', async () => {
    const bytes = content()
    const file = await examinedFile(desk.folder, bytes)
    const first = await keepFile(desk.context, { owner, purpose: 'upload', file })
    const second = await keepFile(desk.context, { owner, purpose: 'reference', file })
    assert.notEqual(first.id, second.id)
    assert.equal(first.storeKey, second.storeKey)
    const other = await keepFile(desk.context, { owner: await desk.account(), purpose: 'upload', file })
    assert.notEqual(other.storeKey, first.storeKey)
    assert.equal((await desk.objects()).length, 2)
    assert.equal(await selectFile(desk.pool, owner.wallet, other.id), undefined)
  })

  it('leaves one blob and one object of the same bytes when several come at once', async () => {
    const file = await examinedFile(desk.folder, content())
    let putting = 0
    let goOn = () => {}
    const all = new Promise<void>((resolve) => {
      goOn = resolve
    })
    // None goes on before all of them have put their bytes.
    const context = afterPut(async () => {
      putting += 1
      if (putting === 3) goOn()
      await all
    })
    const kept = await Promise.all([1, 2, 3].map(() => keepFile(context, { owner, purpose: 'upload', file })))
    assert.equal(putting, 3)
    assert.equal(new Set(kept.map(({ id }) => id)).size, 3)
    assert.equal(new Set(kept.map(({ storeKey }) => storeKey)).size, 1)
    assert.deepEqual(await desk.objects(), [kept[0]?.storeKey])
    assert.deepEqual(await blobs(), [{ store_key: kept[0]?.storeKey, is_stored: true }])
  })

  it('tries again when a sweep takes the blob while it is being stored', async () => {
    const file = await examinedFile(desk.folder, content())
    let swept = 0
    const context = afterPut(async () => {
      if (swept > 0) return
      await desk.pool.query("update file_blobs set created_at = now() - interval '2 hours'")
      swept = await sweepFiles({ ...desk.context, limit: 10 })
    })
    const kept = await keepFile(context, { owner, purpose: 'upload', file })
    assert.equal(swept, 1)
    assert.deepEqual(await desk.objects(), [kept.storeKey])
    assert.deepEqual(await blobs(), [{ store_key: kept.storeKey, is_stored: true }])
  })

  it('stores anew when a sweep drops the stored blob at the same moment', async () => {
    const file = await examinedFile(desk.folder, content())
    const first = await keepFile(desk.context, { owner, purpose: 'upload', file })
    const { second } = await inTransaction(desk.pool, async (client) => {
      // As `drop_blobs` does: lock, judge, drop.
      await client.query('select from file_blobs for update')
      const second = keepFile(desk.context, { owner, purpose: 'upload', file })
      await waitsForLock()
      await client.query('update file_blobs set dropped_at = now()')
      return { second }
    })
    assert.notEqual((await second).storeKey, first.storeKey)
    assert.notEqual(await desk.store.stat((await second).storeKey), undefined)
  })

  it('keeps a sweep from dropping a blob that is just being given another file', async () => {
    const file = await examinedFile(desk.folder, content())
    const first = await keepFile(desk.context, { owner, purpose: 'upload', file })
    await desk.pool.query("update files set expires_at = now() - interval '1 day'")
    await inTransaction(desk.pool, async (client) => {
      const about = { id: newId('file'), wallet: owner.wallet, purpose: 'upload', keepSeconds: 60 } as const
      assert.ok(await insertFileOfStoredBlob(client, { ...file, ...about }))
      assert.equal(await sweepFiles({ ...desk.context, limit: 10 }), 0)
    })
    assert.equal(await sweepFiles({ ...desk.context, limit: 10 }), 0)
    assert.deepEqual(await desk.objects(), [first.storeKey])
  })

  it('leaves nothing that a sweep does not find when the store fails, or the process ends', async () => {
    const file = await examinedFile(desk.folder, content())
    for (const context of [
      afterPut(() => Promise.reject(new Error('killed'))),
      { ...desk.context, store: { ...afterPut(async () => {}).store, put: () => Promise.reject(new Error('full')) } },
    ])
      await assert.rejects(keepFile(context, { owner, purpose: 'upload', file }), /killed|full/)
    assert.equal((await desk.objects()).length, 1)
    assert.deepEqual(
      (await blobs()).map((blob) => blob.is_stored),
      [false, false],
    )
    assert.equal(await sweepFiles({ ...desk.context, limit: 10 }), 0, 'they may still be on their way')
    const kept = await keepFile(desk.context, { owner, purpose: 'upload', file })
    await desk.pool.query("update file_blobs set created_at = now() - interval '2 hours'")
    assert.equal(await sweepFiles({ ...desk.context, limit: 10 }), 2)
    assert.deepEqual(await desk.objects(), [kept.storeKey])
  })

  it('does not keep a file that has changed since it was received', async () => {
    const file = await examinedFile(desk.folder, content(), { sha256: '00'.repeat(32) })
    await assert.rejects(keepFile(desk.context, { owner, purpose: 'upload', file }), /changed/)
    assert.deepEqual(await selectFiles(desk.pool, { wallet: owner.wallet, after: undefined, limit: 10 }), [])
  })

  it('never gives a file the bytes of another account', async () => {
    const kept = await keepFile(desk.context, {
      owner,
      purpose: 'upload',
      file: await examinedFile(desk.folder, content()),
    })
    const other = await keepFile(desk.context, {
      owner: await desk.account(),
      purpose: 'upload',
      file: await examinedFile(desk.folder, content()),
    })
    const steal = desk.pool.query(
      `update files set blob_id = (select id from file_blobs where store_key = $1)
       where blob_id = (select id from file_blobs where store_key = $2)`,
      [kept.storeKey, other.storeKey],
    )
    await assert.rejects(steal, /foreign key/)
  })

  describe('within what the plan stores', () => {
    const GIB = 1024 ** 3
    const full =
      /The file is larger than the room that this account has left: 0 MiB of the 1 GiB of its plan; allowed: /

    /** Lets the owner, on the plan free, have room for so many bytes. */
    async function leave(bytes: number): Promise<void> {
      owner = { ...owner, plan: 'free' }
      await desk.pool.query(
        `insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes, stored_at)
         values (gen_random_uuid(), $1, sha256('big'), 'files/big', 'video/mp4', $2, now())`,
        [owner.wallet, GIB - bytes],
      )
    }
    const keepNew = async () => {
      const file = await examinedFile(desk.folder, content())
      return await keepFile(desk.context, { owner, purpose: 'reference', file })
    }

    it('takes the last byte and not one more, and leaves nothing of what it refuses', async () => {
      await leave(1_999)
      const kept = await keepNew()
      await assert.rejects(keepNew(), full)
      assert.deepEqual(await desk.objects(), [kept.storeKey])
      assert.equal((await blobs()).length, 2)
      await desk.pool.query("update file_blobs set size_bytes = size_bytes - 1 where store_key = 'files/big'")
      await keepNew()
    })

    it('takes what is there already, and what another account brings; what was dropped does not count', async () => {
      await leave(1_000)
      const file = await examinedFile(desk.folder, content())
      await keepFile(desk.context, { owner, purpose: 'upload', file })
      await assert.rejects(keepNew(), full)
      await keepFile(desk.context, { owner, purpose: 'upload', file })
      await keepFile(desk.context, { owner: { ...(await desk.account()), plan: 'free' }, purpose: 'upload', file })
      await desk.pool.query("update file_blobs set dropped_at = now() where store_key = 'files/big'")
      await keepNew()
    })

    it('never takes more, however many come at once', async () => {
      await leave(2_500)
      const outcomes = await Promise.allSettled(Array.from({ length: 6 }, keepNew))
      const taken = outcomes.filter(({ status }) => status === 'fulfilled').length
      assert.ok(taken <= 2, `${taken} were taken`)
      for (const outcome of outcomes) if (outcome.status === 'rejected') assert.match(outcome.reason.message, full)
      assert.equal((await blobs()).length, 1 + taken)
    })
  })
})

/** Waits until a statement of this database waits for a lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await desk.pool.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    if (rowCount !== 0) return
  }
}
