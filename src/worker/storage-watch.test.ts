import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pino } from 'pino'
import { waitFor } from '../../test/support/patience.ts'
import { StorageWatch } from './storage-watch.ts'

const MEBIBYTE = 1024 * 1024

describe('the watch over where videos are stored', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-storage-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** A store with so much room for one file, or that never answers. */
  function watchOf(room: { bytes: number | 'never answers' }) {
    const lines: string[] = []
    const keys = new Set<string>()
    let nowMs = 0
    let returns = 0
    const watch = new StorageWatch({
      worker: 'worker',
      folder,
      store: {
        put: async (key, path) => {
          if (room.bytes === 'never answers') return await new Promise<never>(() => {})
          const { size } = await stat(path)
          if (size > room.bytes) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
          keys.add(key)
          return { sizeBytes: size, sha256: Buffer.alloc(32) }
        },
        delete: async (key) => {
          keys.delete(key)
        },
      },
      log: pino({ level: 'trace' }, { write: (line) => void lines.push(line) }),
      onWritable: () => {
        returns += 1
      },
      proofTimeoutMs: 50,
      now: () => nowMs,
    })
    const sweep = async () => {
      nowMs += 60_000
      await watch.sweep()
    }
    return { watch, sweep, lines, keys, returns: () => returns }
  }

  it('says so once when nothing can be written, and once when it can again, and leaves nothing behind', async () => {
    const room = { bytes: 0 }
    const { watch, sweep, lines, keys, returns } = watchOf(room)
    for (let n = 0; n < 3; n += 1) await sweep()
    assert.match(watch.fault ?? '', /ENOSPC/)
    assert.equal(lines.filter((line) => line.includes('videos cannot be stored')).length, 1)
    room.bytes = 64 * MEBIBYTE
    for (let n = 0; n < 3; n += 1) await sweep()
    assert.equal(watch.fault, undefined)
    assert.equal(lines.filter((line) => line.includes('can be stored again')).length, 1)
    assert.equal(returns(), 1)
    assert.deepEqual([...keys, ...(await readdir(folder))], [])
  })

  it('is not content with a few bytes after a video did not fit', async () => {
    const room = { bytes: 4 * MEBIBYTE }
    const { watch, sweep } = watchOf(room)
    await sweep()
    assert.equal(watch.fault, undefined)
    watch.suspect(8 * MEBIBYTE)
    await waitFor('the fault', () => watch.fault)
    await sweep()
    assert.match(watch.fault ?? '', /ENOSPC/, 'a smaller file would fit')
    room.bytes = 32 * MEBIBYTE
    await sweep()
    assert.equal(watch.fault, undefined)
  })

  it('proves a larger file, too, that failed while a proof was under way', async () => {
    const { watch, sweep } = watchOf({ bytes: 4 * MEBIBYTE })
    const underWay = sweep()
    watch.suspect(8 * MEBIBYTE)
    await underWay
    assert.match(watch.fault ?? '', /ENOSPC/)
  })

  it('takes a store that does not answer for one that cannot be written', async () => {
    const { watch, sweep } = watchOf({ bytes: 'never answers' })
    await sweep()
    assert.match(watch.fault ?? '', /has not taken a file/)
  })

  it('is not alarmed by a fault that was none of the storage', async () => {
    const { watch, sweep, lines } = watchOf({ bytes: 64 * MEBIBYTE })
    watch.suspect(1)
    await sweep()
    assert.equal(watch.fault, undefined)
    assert.deepEqual(lines, [])
  })
})
