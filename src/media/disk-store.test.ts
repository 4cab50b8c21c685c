import assert from 'node:assert/strict'
import { access, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { describeStore } from '../../test/support/describe-store.ts'
import { DiskStore } from './disk-store.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-disk-store-'))
})
after(() => rm(folder, { recursive: true }))

describeStore('DiskStore', () => DiskStore.open(join(folder, 'contract')))

describe('DiskStore', () => {
  it('leaves no temporary file behind, whether a put succeeds or fails', async () => {
    const root = join(folder, 'tidy')
    const store = await DiskStore.open(root)
    await writeFile(join(folder, 'source'), 'bytes')
    await store.put('a/b', join(folder, 'source'))
    await assert.rejects(store.put('a/c', join(folder, 'absent')))
    // A file stands where the key needs a folder.
    await assert.rejects(store.put('a/b/c', join(folder, 'source')))
    await store.check()
    assert.deepEqual(await readdir(join(root, '.tmp')), [])
  })

  it('clears at the start what a crash left, and nothing that may still be written', async () => {
    const root = join(folder, 'crashed')
    await DiskStore.open(root)
    await writeFile(join(root, '.tmp', 'old'), 'half')
    await writeFile(join(root, '.tmp', 'young'), 'half')
    const twoHoursAgo = Date.now() / 1000 - 7200
    await utimes(join(root, '.tmp', 'old'), twoHoursAgo, twoHoursAgo)
    await DiskStore.open(root)
    assert.deepEqual(await readdir(join(root, '.tmp')), ['young'])
  })

  it('removes the folder of a key with its last file, even while other files come into it', async () => {
    const root = join(folder, 'folders')
    const store = await DiskStore.open(root)
    await writeFile(join(folder, 'source'), 'bytes')
    // Two that come and go again and again: sooner or later one removes the folder that the other has just made.
    const comeAndGo = async (key: string): Promise<void> => {
      for (let round = 0; round < 100; round += 1) {
        await store.put(key, join(folder, 'source'))
        await store.delete(key)
      }
    }
    await Promise.all([comeAndGo('aa/task/one'), comeAndGo('aa/task/two')])
    assert.deepEqual(await readdir(join(root, 'aa')), [])
  })

  it('says at the check when its folder has gone', async () => {
    const root = join(folder, 'gone')
    const store = await DiskStore.open(root)
    await rm(root, { recursive: true })
    await assert.rejects(store.check(), /ENOENT/)
    await assert.rejects(access(root))
  })
})
