import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { MissingFile } from '../../src/media/missing-file.ts'
import type { Store } from '../../src/media/store.ts'

/** More than one chunk of any copy loop or stream, and no multiple of one. */
const LARGE_FILE_BYTES = 1_500_001

/** The behaviour that every store owes; `makeStore` gives a fresh, empty one. `skip` says why it cannot be had here. */
export function describeStore(
  name: string,
  makeStore: () => Promise<Store>,
  { skip = false }: { skip?: string | false } = {},
): void {
  describe(`${name} as a store`, { skip }, () => {
    let folder: string
    let store: Store
    const content = randomBytes(LARGE_FILE_BYTES)
    const sourceOf = async (bytes: Buffer): Promise<string> => {
      const path = join(folder, `source-${randomBytes(4).toString('hex')}`)
      await writeFile(path, bytes)
      return path
    }

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'reelay-store-'))
      store = await makeStore()
    })
    after(() => rm(folder, { recursive: true }))

    it('gives back the bytes it got, with their size and hash', async () => {
      const stored = await store.put('aa/one/video.mp4', await sourceOf(content))
      assert.equal(stored.sizeBytes, LARGE_FILE_BYTES)
      assert.deepEqual(stored.sha256, createHash('sha256').update(content).digest())
      assert.deepEqual(await store.stat('aa/one/video.mp4'), { sizeBytes: LARGE_FILE_BYTES })
      assert.ok(content.equals(await buffer(await store.open('aa/one/video.mp4'))))
    })

    it('reads one span, both ends inclusive', async () => {
      await store.put('aa/span', await sourceOf(content))
      for (const span of [
        { start: 0, end: 0 },
        { start: 700_000, end: 1_400_000 },
        { start: LARGE_FILE_BYTES - 1, end: LARGE_FILE_BYTES - 1 },
      ]) {
        const read = await buffer(await store.open('aa/span', span))
        assert.ok(content.subarray(span.start, span.end + 1).equals(read), JSON.stringify(span))
      }
    })

    it('leaves after a second put what it left after the first', async () => {
      const path = await sourceOf(content)
      const first = await store.put('aa/twice', path)
      assert.deepEqual(await store.put('aa/twice', path), first)
      assert.ok(content.equals(await buffer(await store.open('aa/twice'))))
    })

    it('replaces a file by what is put later, for whoever opens it later', async () => {
      await store.put('aa/replaced', await sourceOf(content))
      const early = await store.open('aa/replaced')
      await store.put('aa/replaced', await sourceOf(Buffer.from('new')))
      assert.equal((await buffer(await store.open('aa/replaced'))).toString(), 'new')
      early.destroy()
    })

    it('keeps whole files when several are put at one key at once', async () => {
      const bodies = ['a', 'b', 'c'].map((letter) => Buffer.alloc(300_000, letter))
      await Promise.all(bodies.map(async (body) => store.put('aa/race', await sourceOf(body))))
      const read = await buffer(await store.open('aa/race'))
      assert.ok(bodies.some((body) => body.equals(read)))
    })

    it('deletes, and deletes again without complaint', async () => {
      await store.put('aa/deleted', await sourceOf(content))
      await store.delete('aa/deleted')
      await store.delete('aa/deleted')
      assert.equal(await store.stat('aa/deleted'), undefined)
      await assert.rejects(store.open('aa/deleted'), MissingFile)
    })

    it('says that a file is missing before it gives a stream', async () => {
      await assert.rejects(store.open('aa/never'), MissingFile)
      assert.equal(await store.stat('aa/never'), undefined)
    })

    it('leaves nothing under the key when the source cannot be read', async () => {
      await assert.rejects(store.put('aa/no-source', join(folder, 'absent')))
      assert.equal(await store.stat('aa/no-source'), undefined)
    })

    it('refuses keys that would lead out of it, in every operation', async () => {
      const source = await sourceOf(content)
      const astray = ['../x', 'a/../../x', '/etc/passwd', 'a//b', './a', '.tmp/a', 'a\\..\\b', 'a\0b', '', 'a/', 'C:/x']
      for (const key of [...astray, 'a'.repeat(513)]) {
        const operations = [store.put(key, source), store.open(key), store.stat(key), store.delete(key)]
        for (const outcome of await Promise.allSettled(operations)) {
          assert.equal(outcome.status, 'rejected', `${JSON.stringify(key)} was taken`)
          assert.match(String(outcome.reason), /cannot be the key/)
        }
      }
    })

    it('deletes all files of a folder, but for one folder in it, and none beside it', async () => {
      const source = await sourceOf(Buffer.from('bytes'))
      const keys = ['ab/one/1/a', 'ab/one/1/b', 'ab/one/10/a', 'ab/one/2/deep/a', 'ab/one-more/1/a', 'ab/two/1/a']
      for (const key of keys) await store.put(key, source)
      const left = async () => {
        const stats = await Promise.all(keys.map((key) => store.stat(key)))
        return keys.filter((_key, index) => stats[index] !== undefined)
      }
      await store.deleteAll('ab/one', { except: 'ab/one/1' })
      assert.deepEqual(await left(), ['ab/one/1/a', 'ab/one/1/b', 'ab/one-more/1/a', 'ab/two/1/a'])
      await store.deleteAll('ab/one')
      await store.deleteAll('ab/one')
      assert.deepEqual(await left(), ['ab/one-more/1/a', 'ab/two/1/a'])
      await assert.rejects(store.deleteAll('../x'), /cannot be the key/)
    })

    it('passes its own check', () => store.check())
  })
}
