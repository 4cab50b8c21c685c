import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { type FilesDesk, openFilesDesk } from '../../../test/support/files-desk.ts'
import { newId } from '../../canonical/ids.ts'
import type { Store } from '../../media/store.ts'
import type { FilesContext } from '../files-context.ts'
import { keepProduced } from './keep-produced.ts'

let desk: FilesDesk

/** A store that gives this stream, whatever it is asked for, and then does something to it. */
function giving(bytes: Readable, then = () => {}): Store {
  const { store } = desk
  return {
    put: (key, path) => store.put(key, path),
    open: async () => {
      setImmediate(then)
      return bytes
    },
    stat: (key) => store.stat(key),
    delete: (key) => store.delete(key),
    check: () => store.check(),
    deleteAll: async () => {},
  }
}

async function keep(change: Partial<FilesContext>): Promise<unknown> {
  const media = {
    taskId: newId('task'),
    kind: 'video',
    storeKey: 'aa/video.mp4',
    mimeType: 'video/mp4',
    sizeBytes: 1_000,
    sha256: 'a'.repeat(64),
    width: 160,
    height: 90,
    durationSeconds: 2,
    state: 'kept',
  } as const
  const { signal } = new AbortController()
  const about = { owner: await desk.account(), media, field: 'video', signal }
  return await keepProduced({ ...desk.context, ...change }, about)
}

describe('keepProduced', () => {
  before(async () => {
    desk = await openFilesDesk()
  })
  after(() => desk[Symbol.asyncDispose]())

  it('closes what it has opened in the store when there is no place to put it', async () => {
    const bytes = new Readable({ read() {} })
    await assert.rejects(keep({ store: giving(bytes), scratch: `${desk.folder}/missing` }), { code: 'ENOENT' })
    assert.ok(bytes.destroyed)
  })

  it('throws what the store says before the first byte is read', async () => {
    const bytes = new Readable({ read() {} })
    const store = giving(bytes, () => bytes.destroy(new Error('the store hung up')))
    await assert.rejects(keep({ store }), /hung up/)
  })
})
