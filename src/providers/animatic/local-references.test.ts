import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { newId } from '../../canonical/ids.ts'
import type { Reference } from '../../canonical/reference.ts'
import { discardReferences, fetchReferences } from './local-references.ts'

const REFERENCE: Reference = {
  role: 'firstFrame',
  fileId: newId('file'),
  kind: 'image',
  mimeType: 'image/png',
  sizeBytes: 3,
  sha256: 'a'.repeat(64),
  storeKey: 'files/aa/a.png',
}

describe('references on this disk', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelay-references-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('are given up when the signal is aborted, though the store is silent, and fetched the next time', async () => {
    const jobPath = join(folder, 'job.mp4')
    const silent = new Readable({ read() {} })
    const over = new AbortController()
    const opened = new Promise<void>((resolve) => silent.once('newListener', () => resolve()))
    const fetching = fetchReferences([REFERENCE], { openReference: async () => silent, jobPath, signal: over.signal })
    await opened
    over.abort()
    await assert.rejects(fetching, { name: 'AbortError' })
    assert.ok(silent.destroyed)
    const { signal } = new AbortController()
    const openReference = async () => Readable.from([Buffer.from('png')])
    const [path = ''] = await fetchReferences([REFERENCE], { openReference, jobPath, signal })
    assert.equal(await readFile(path, 'utf8'), 'png')
    await discardReferences([REFERENCE], jobPath)
    assert.deepEqual(await readdir(folder), [])
  })
})
