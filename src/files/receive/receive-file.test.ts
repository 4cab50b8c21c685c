import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, beforeEach, describe, it } from 'node:test'
import { testMp3, testPicture, testWav } from '../../../test/support/good-files.ts'
import { FileRefused } from '../file-refused.ts'
import { receiveFile } from './receive-file.ts'
import { scratchName } from './scratch-name.ts'
import { sweepAbandonedFiles } from './sweep-abandoned-files.ts'

const MIB = 1024 * 1024

let folder: string
let png: Buffer
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-receive-'))
  png = await testPicture().png().toBuffer()
})
after(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name))
})

/** Gives a start, then as many MiB of zeros as anyone asks for, and counts them. */
function endless(start: Buffer): { readonly bytes: Readable; readonly read: () => number } {
  let mebibytes = 0
  async function* give() {
    yield start
    for (;;) {
      mebibytes += 1
      yield Buffer.alloc(MIB)
    }
  }
  return { bytes: Readable.from(give(), { objectMode: true, highWaterMark: 1 }), read: () => mebibytes }
}

const isRefusal = (reason: FileRefused['reason'], says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof FileRefused, String(error))
  assert.equal(error.reason, reason)
  assert.match(error.message, says)
  return true
}

describe('receiveFile', () => {
  it('writes what comes, however it is cut, and tells its type, size and hash', async () => {
    for (const size of [1, 7, 100_000]) {
      const pieces = Array.from({ length: Math.ceil(png.length / size) }, (_, at) =>
        png.subarray(at * size, (at + 1) * size),
      )
      const file = await receiveFile(Readable.from(pieces), { directory: folder, name: 'Été.png' })
      const sha256 = createHash('sha256').update(png).digest('hex')
      const { path, ...said } = file
      assert.deepEqual(said, {
        kind: 'image',
        mimeType: 'image/png',
        ending: 'png',
        sizeBytes: png.length,
        sha256,
        name: 'Été.png',
      })
      assert.deepEqual(await readFile(path), png)
    }
  })

  it('stops reading at the limit of the kind that was found, and leaves nothing', async () => {
    for (const [start, limit, says] of [
      [png, 20, /an image of more than 20 MiB; allowed: images of at most 20 MiB/],
      [testWav(), 10, /a sound file of more than 10 MiB/],
      [testMp3(), 10, /a sound file of more than 10 MiB/],
      [Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isomisom', 'latin1'), 50, /a video of more than 50 MiB/],
    ] as const) {
      const { bytes, read } = endless(start)
      await assert.rejects(receiveFile(bytes, { directory: folder, name: '' }), isRefusal('too_large', says))
      assert.ok(read() <= limit + 2, `${read()} MiB were read of at most ${limit}`)
      assert.ok(bytes.destroyed)
      assert.deepEqual(await readdir(folder), [])
    }
  })

  it('refuses what is not taken from its first bytes, without reading on', async () => {
    const { bytes, read } = endless(Buffer.from(`<svg>${' '.repeat(5000)}`))
    await assert.rejects(receiveFile(bytes, { directory: folder, name: '' }), isRefusal('not_allowed', /an SVG image/))
    assert.ok(read() <= 2, `${read()}`)
    assert.deepEqual(await readdir(folder), [])
  })

  it('leaves nothing when the sender goes away', async () => {
    async function* breaksOff() {
      yield png.subarray(0, 100)
      throw new Error('the connection was lost')
    }
    await assert.rejects(receiveFile(breaksOff(), { directory: folder, name: '' }), /connection was lost/)
    assert.deepEqual(await readdir(folder), [])
  })

  it('stops a silent stream when it is told to, and leaves nothing', async () => {
    const silent = new Readable({ read: () => {} })
    silent.push(png.subarray(0, 100))
    const over = new AbortController()
    const receiving = receiveFile(silent, { directory: folder, name: '', signal: over.signal })
    over.abort(new Error('shutting down'))
    await assert.rejects(receiving, /shutting down/)
    assert.ok(silent.destroyed)
    assert.deepEqual(await readdir(folder), [])
  })

  it('refuses names that no person gave', async () => {
    for (const name of ['a'.repeat(256), 'a\0b.png', 'a\nb.png']) {
      const receiving = receiveFile(Readable.from([png]), { directory: folder, name })
      await assert.rejects(
        receiving,
        isRefusal('not_allowed', /named with .*; allowed: names of at most 255 characters/),
      )
    }
  })
})

describe('sweepAbandonedFiles', () => {
  it('deletes what a killed process left and keeps what a living one is receiving', async () => {
    const script = `
      import { receiveFile } from ${JSON.stringify(import.meta.resolve('./receive-file.ts'))}
      receiveFile(process.stdin, { directory: ${JSON.stringify(folder)}, name: '' })
      setInterval(() => {}, 1000)
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    child.stdin.write(png.subarray(0, 100))
    while ((await readdir(folder)).length === 0) await new Promise(setImmediate)
    const mine = scratchName()
    await writeFile(join(folder, mine), '')
    assert.equal(await sweepAbandonedFiles(folder), 0)
    assert.equal((await readdir(folder)).length, 2)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(await sweepAbandonedFiles(folder), 1)
    assert.deepEqual(await readdir(folder), [mine])
  })

  it('deletes what an earlier process of the same number left, and anything that is an hour old', async () => {
    const earlier = scratchName().replace(/\.[0-9a-f]{8}\./, '.00000000.')
    for (const name of [earlier, 'old', 'new']) await writeFile(join(folder, name), '')
    const twoHoursAgo = new Date(Date.now() - 7_200_000)
    await utimes(join(folder, 'old'), twoHoursAgo, twoHoursAgo)
    assert.equal(await sweepAbandonedFiles(folder), 2)
    assert.deepEqual(await readdir(folder), ['new'])
  })
})
