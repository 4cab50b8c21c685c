import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { newTask } from '../../test/faults/workshop.ts'
import { examinedFile } from '../../test/support/examined-file.ts'
import { type FilesDesk, openFilesDesk } from '../../test/support/files-desk.ts'
import { type FileId, type TaskId, uuidOf } from '../canonical/ids.ts'
import { grant } from '../ledger/grant.ts'
import type { Store } from '../media/store.ts'
import { cancelQueued } from '../tasks/queries.ts'
import { Submitter } from '../tasks/submit.ts'
import { keepFile } from './keep/keep-file.ts'
import type { KeptFile } from './kept-file.ts'
import { markFileDeleted, selectFile, selectFiles, selectServedFile } from './queries.ts'
import { type FileSweep, sweepFiles } from './sweep-files.ts'

let desk: FilesDesk
let owner: Awaited<ReturnType<FilesDesk['account']>>

async function kept(content = randomBytes(1_000), purpose: 'upload' | 'reference' = 'upload'): Promise<KeptFile> {
  return await keepFile(desk.context, { owner, purpose, file: await examinedFile(desk.folder, content) })
}

const sweep = (change: Partial<FileSweep> = {}): Promise<number> =>
  sweepFiles({ ...desk.context, limit: 100, ...change })

/** Lets a file's time have been over for so many minutes. */
async function endedFor(id: FileId, minutes: number): Promise<void> {
  await desk.pool.query('update files set expires_at = now() - make_interval(mins => $2) where id = $1', [
    uuidOf(id),
    minutes,
  ])
}

/** A queued task that uses the file, as creating one leaves it. */
async function taskThatUses(file: KeptFile): Promise<TaskId> {
  const { id: fileId, storeKey, kind, mimeType, sizeBytes, sha256 } = file
  const reference = { role: 'firstFrame', fileId, storeKey, kind, mimeType, sizeBytes, sha256 } as const
  const task = newTask(owner.wallet, 'sea')
  const request = { ...task.request, references: [reference, reference] }
  assert.equal((await new Submitter(desk.pool).submit({ ...task, request })).kind, 'created')
  return task.id
}

async function isStored({ storeKey }: KeptFile): Promise<boolean> {
  return (await desk.store.stat(storeKey)) !== undefined
}

describe('sweepFiles', () => {
  before(async () => {
    desk = await openFilesDesk()
  })
  beforeEach(async () => {
    owner = await desk.account()
    await grant(desk.pool, owner.wallet, 1_000n)
  })
  after(() => desk[Symbol.asyncDispose]())

  it('keeps what is live, deletes what has ended ten minutes ago, and is done the second time', async () => {
    const [live, justEnded, ended] = [await kept(), await kept(), await kept()]
    await endedFor(justEnded.id, 9)
    await endedFor(ended.id, 11)
    assert.equal(await sweep(), 1)
    assert.deepEqual(await Promise.all([live, justEnded, ended].map(isStored)), [true, true, false])
    assert.equal(await sweep(), 0)
    assert.equal((await selectFile(desk.pool, owner.wallet, ended.id))?.state, 'expired')
    assert.equal((await selectServedFile(desk.pool, ended.id))?.state, 'deleted')
  })

  it('deletes the bytes of a file that its owner deleted, which is gone for requests at once', async () => {
    const file = await kept()
    assert.equal((await markFileDeleted(desk.pool, owner.wallet, file.id))?.id, file.id)
    assert.equal(await markFileDeleted(desk.pool, owner.wallet, file.id), undefined)
    assert.deepEqual(await selectFile(desk.pool, owner.wallet, file.id), { state: 'deleted' })
    assert.equal((await selectServedFile(desk.pool, file.id))?.state, 'deleted')
    assert.deepEqual(await selectFiles(desk.pool, { wallet: owner.wallet, after: undefined, limit: 10 }), [])
    assert.equal(await sweep(), 0, 'a request that named it may be on its way')
    await desk.pool.query("update files set deleted_at = now() - interval '11 minutes' where id = $1", [
      uuidOf(file.id),
    ])
    assert.equal(await sweep(), 1)
    assert.equal(await isStored(file), false)
  })

  it('lets nobody delete a file of another account', async () => {
    const file = await kept()
    assert.equal(await markFileDeleted(desk.pool, (await desk.account()).wallet, file.id), undefined)
    assert.equal((await selectFile(desk.pool, owner.wallet, file.id))?.state, 'kept')
  })

  it('keeps bytes as long as one of the files that have them is live', async () => {
    const bytes = randomBytes(1_000)
    const [first, second] = [await kept(bytes), await kept(bytes)]
    await endedFor(first.id, 60)
    assert.equal(await sweep(), 0)
    assert.ok(await isStored(second))
    await endedFor(second.id, 60)
    assert.equal(await sweep(), 1)
    assert.equal(await isStored(second), false)
  })

  it('waits for the task that uses a file', async () => {
    const file = await kept(undefined, 'reference')
    const task = await taskThatUses(file)
    await endedFor(file.id, 60)
    assert.equal(await sweep(), 0)
    assert.ok(await isStored(file))
    assert.ok(await cancelQueued(desk.pool, task))
    assert.equal(await sweep(), 1)
    assert.equal(await isStored(file), false)
  })

  it('forgets what was fetched for requests and no task names; uploads can still be told of', async () => {
    const [upload, used, unused] = [
      await kept(),
      await kept(undefined, 'reference'),
      await kept(undefined, 'reference'),
    ]
    await cancelQueued(desk.pool, await taskThatUses(used))
    for (const { id } of [upload, used, unused]) await endedFor(id, 60)
    assert.equal(await sweep(), 3)
    const states = await Promise.all([upload, used, unused].map(({ id }) => selectFile(desk.pool, owner.wallet, id)))
    assert.deepEqual(
      states.map((found) => found?.state),
      ['expired', 'expired', undefined],
    )
  })

  it('says that there may be more as long as there is more to forget', async () => {
    for (const { id } of [await kept(undefined, 'reference'), await kept(undefined, 'reference')])
      await endedFor(id, 60)
    // Their bytes are gone already; only the rows are left.
    await desk.pool.query('update files set blob_id = null where wallet_id = $1', [owner.wallet])
    await desk.pool.query('delete from file_blobs where wallet_id = $1', [owner.wallet])
    assert.deepEqual([await sweep({ limit: 1 }), await sweep({ limit: 1 }), await sweep({ limit: 1 })], [1, 1, 0])
  })

  it('goes on where a sweep was killed, before or after the object went', async () => {
    const [before, after] = [await kept(), await kept()]
    for (const { id } of [before, after]) await endedFor(id, 60)
    await desk.pool.query('select drop_blobs($1, $2, 100)', ['10 minutes', '1 hour'])
    await desk.store.delete(after.storeKey)
    assert.equal(await sweep(), 2)
    assert.equal(await isStored(before), false)
  })

  it('removes a blob that was never stored whole, with what lies in its place, after an hour', async () => {
    const source = await examinedFile(desk.folder, randomBytes(10))
    for (const [key, minutes] of [
      ['files/aa/new.png', 59],
      ['files/aa/old.png', 61],
    ] as const) {
      await desk.store.put(key, source.path)
      await desk.pool.query(
        `insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes, created_at)
         values (gen_random_uuid(), $1, decode($2, 'hex'), $3, 'image/png', 10, now() - make_interval(mins => $4))`,
        [owner.wallet, source.sha256, key, minutes],
      )
    }
    assert.equal(await sweep(), 1)
    assert.equal(await desk.store.stat('files/aa/old.png'), undefined)
    assert.notEqual(await desk.store.stat('files/aa/new.png'), undefined)
  })

  it('counts each blob once when several nodes sweep together', async () => {
    for (let n = 0; n < 10; n += 1) await endedFor((await kept()).id, 60)
    const counts = await Promise.all([sweep(), sweep(), sweep()])
    assert.equal(counts.reduce((sum, count) => sum + count, 0) + (await sweep()), 10)
  })

  it('leaves an object that cannot be deleted to a later sweep, and deletes the others', async () => {
    const [stuck, other] = [await kept(), await kept()]
    await endedFor(stuck.id, 90)
    await endedFor(other.id, 60)
    const { store } = desk
    const failing: Store = {
      put: (key, path) => store.put(key, path),
      open: (key, span) => store.open(key, span),
      stat: (key) => store.stat(key),
      check: () => store.check(),
      deleteAll: (folder, options) => store.deleteAll(folder, options),
      delete: (key) => (key === stuck.storeKey ? Promise.reject(new Error('read-only')) : store.delete(key)),
    }
    // One at a time: what cannot be deleted is not in the way of what comes after it.
    assert.deepEqual([await sweep({ store: failing, limit: 1 }), await sweep({ store: failing, limit: 1 })], [1, 1])
    assert.match(desk.logged.join(), /could not be deleted/)
    assert.deepEqual(await Promise.all([stuck, other].map(isStored)), [true, false])
    assert.equal(await sweep(), 0)
    await desk.pool.query("update file_blobs set dropped_at = dropped_at - interval '61 minutes'")
    assert.equal(await sweep(), 1)
    assert.equal(await isStored(stuck), false)
  })

  it('deletes no more than its limit, longest ended first', async () => {
    const [later, first] = [await kept(), await kept()]
    await endedFor(later.id, 60)
    await endedFor(first.id, 120)
    assert.equal(await sweep({ limit: 1 }), 1)
    assert.deepEqual(await Promise.all([later, first].map(isStored)), [true, false])
    assert.equal(await sweep({ limit: 1 }), 1)
  })
})
