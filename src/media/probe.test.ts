import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type TestVideo, writeTestVideo } from '../../test/support/test-video.ts'
import { BrokenMedia, type BrokenMediaReason } from './broken-media.ts'
import { probeVideo } from './probe.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-probe-'))
})
after(() => rm(folder, { recursive: true }))

let files = 0
async function save(bytes: Uint8Array | string): Promise<string> {
  files += 1
  const path = join(folder, `${files}.mp4`)
  await writeFile(path, bytes)
  return path
}

async function made(video: Omit<TestVideo, 'path'>): Promise<Buffer> {
  return readFile(await writeTestVideo({ path: await save(''), ...video }))
}

async function refuses(bytes: Uint8Array | string, reason: BrokenMediaReason, message: RegExp): Promise<void> {
  const path = await save(bytes)
  await assert.rejects(probeVideo(path), (error) => {
    assert.ok(error instanceof BrokenMedia, String(error))
    assert.match(error.message, message)
    assert.equal(error.reason, reason, error.message)
    return true
  })
}

/** Where the type of a box stands. */
const indexOfBox = (bytes: Buffer, type: string): number => {
  const at = bytes.indexOf(type, 0, 'latin1')
  assert.notEqual(at, -1, `no ${type}`)
  return at
}

describe('probeVideo', () => {
  it('measures an MP4 with sound', async () => {
    const bytes = await made({ sound: 'silence' })
    assert.deepEqual(await probeVideo(await save(bytes)), {
      container: 'mp4',
      sizeBytes: bytes.length,
      durationSeconds: 2,
      width: 160,
      height: 90,
      videoCodec: 'avc',
      audioCodec: 'aac',
      frameCount: 20,
      faststart: true,
    })
  })

  it('tells an index behind the frames, QuickTime, WebM and a silent film', async () => {
    const last = await probeVideo(await save(await made({ format: 'mp4-index-last' })))
    assert.deepEqual([last.container, last.faststart, last.audioCodec], ['mp4', false, undefined])
    const mov = await probeVideo(await save(await made({ format: 'mov' })))
    assert.deepEqual([mov.container, mov.frameCount], ['mov', 20])
    const webm = await probeVideo(await save(await made({ format: 'webm' })))
    assert.deepEqual([webm.container, webm.videoCodec, webm.frameCount], ['webm', 'vp8', 20])
    const fragments = await probeVideo(await save(await made({ format: 'mp4-fragments' })))
    assert.deepEqual([fragments.container, fragments.frameCount], ['mp4', 20])
  })

  it('says what was saved under the name of a video', async () => {
    await refuses('{"error":{"code":"expired"}}', 'not_a_video', /is JSON/)
    await refuses('\uFEFF\n <!doctype html>', 'not_a_video', /is HTML or XML/)
    await refuses('upstream timed out', 'not_a_video', /is plain text/)
    await refuses('', 'not_a_video', /is empty/)
    await refuses(Buffer.from('89504e470d0a1a0a', 'hex'), 'not_a_video', /PNG/)
    await refuses(Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.from('matroska')]), 'not_a_video', /Matroska/)
    await refuses(Buffer.alloc(64), 'not_a_video', /no known kind/)
  })

  for (const format of ['mp4', 'mp4-index-last', 'mp4-fragments', 'webm'] as const) {
    it(`finds a truncated file wherever it was cut (${format})`, async () => {
      const bytes = await made({ format, sound: format === 'webm' ? 'none' : 'silence' })
      for (const keep of [bytes.length - 20, Math.floor(bytes.length * 0.9), Math.floor(bytes.length / 2)]) {
        await refuses(bytes.subarray(0, keep), 'truncated', /cut short/)
      }
    })
  }

  it('finds missing frames when the box around them claims to reach the end of the file', async () => {
    const bytes = await made({})
    bytes.writeUInt32BE(0, indexOfBox(bytes, 'mdat') - 4)
    await probeVideo(await save(bytes))
    await refuses(bytes.subarray(0, -1000), 'truncated', /last frame ends at byte/)
  })

  it('finds missing frames when other boxes have filled the gap', async () => {
    const bytes = await made({})
    const mdat = indexOfBox(bytes, 'mdat') - 4
    const cut = bytes.subarray(0, -1000)
    cut.writeUInt32BE(cut.length - mdat, mdat)
    const filler = Buffer.alloc(100)
    filler.writeUInt32BE(100, 0)
    filler.write('free', 4)
    await refuses(Buffer.concat([cut, filler]), 'truncated', /last frame ends at byte/)
  })

  it('refuses sound alone, and a track without frames', async () => {
    const bytes = await made({ sound: 'silence' })
    const silent = Buffer.from(bytes)
    silent.write('soun', silent.indexOf('vide', 0, 'latin1'), 'latin1')
    await refuses(silent, 'no_picture', /no video track/)
    const empty = await made({ format: 'mp4-index-last' })
    for (const table of ['stsz', 'stts', 'stsc', 'stco', 'ctts', 'stss']) {
      const at = empty.indexOf(table, 0, 'latin1')
      if (at !== -1) empty.writeUInt32BE(0, at + (table === 'stsz' ? 12 : 8))
    }
    await refuses(empty, 'no_picture', /no frames|no video track/)
  })

  it('refuses an index that asks for more samples than any film has, before laying them out', async () => {
    for (const [table, offset] of [
      ['stsz', 12],
      ['stts', 12],
      ['ctts', 12],
    ] as const) {
      const bytes = await made({})
      bytes.writeUInt32BE(0xffff_fff0, indexOfBox(bytes, table) + offset)
      await refuses(bytes, 'unreadable', /claims \d+ samples/)
    }
  })

  it('refuses damaged boxes and tables instead of crashing on them', async () => {
    const zeroChunk = await made({})
    zeroChunk.writeUInt32BE(0, indexOfBox(zeroChunk, 'stsc') + 16)
    await refuses(zeroChunk, 'unreadable', /empty chunk/)
    const shortTable = await made({})
    shortTable.writeUInt32BE(1000, indexOfBox(shortTable, 'stsc') + 8)
    await refuses(shortTable, 'unreadable', /shorter than it claims/)
    const tinyBox = await made({})
    tinyBox.writeUInt32BE(3, indexOfBox(tinyBox, 'moov') - 4)
    await refuses(tinyBox, 'unreadable', /claims to be 3 bytes long/)
  })

  it('survives any single damaged byte of the index', async () => {
    const bytes = await made({ durationSeconds: 1 })
    const moov = indexOfBox(bytes, 'moov')
    const end = indexOfBox(bytes, 'mdat')
    for (let at = moov; at < end; at += 7) {
      const damaged = Buffer.from(bytes)
      damaged[at] = 0xff - (damaged[at] ?? 0)
      const path = join(folder, 'damaged.mp4')
      await writeFile(path, damaged)
      await probeVideo(path).catch((error: unknown) => assert.ok(error instanceof BrokenMedia, String(error)))
    }
  })

  it('throws the file system error when there is no file', async () => {
    await assert.rejects(probeVideo(join(folder, 'absent')), { code: 'ENOENT' })
  })
})
