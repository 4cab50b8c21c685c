import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import { badFiles, pngChunk } from '../../../test/support/bad-files.ts'
import { endlessWebm } from '../../../test/support/endless-webm.ts'
import {
  type GoodFile,
  goodFiles,
  testMp3,
  testPicture,
  testWav,
  videoBytes,
} from '../../../test/support/good-files.ts'
import { oddPictures } from '../../../test/support/odd-pictures.ts'
import { trailedFiles } from '../../../test/support/trailed-files.ts'
import { newId } from '../../canonical/ids.ts'
import { FileRefused } from '../file-refused.ts'
import { receiveFile } from '../receive/receive-file.ts'
import type { ExaminedFile } from '../received-file.ts'
import { examineFile } from './examine-file.ts'

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url))

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-examine-'))
})
after(() => rm(folder, { recursive: true }))
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name))
})

async function examine(bytes: Buffer): Promise<ExaminedFile> {
  const received = await receiveFile(Readable.from([bytes]), { directory: folder, name: 'a' })
  return examineFile(received, { account: newId('acct') })
}

async function refuses(bytes: Buffer, says: RegExp): Promise<void> {
  await assert.rejects(examine(bytes), (error) => {
    assert.ok(error instanceof FileRefused, String(error))
    assert.match(error.message, says)
    assert.match(error.message, /^The file is .*; allowed: .*\.$/)
    return true
  })
}

let good: readonly GoodFile[]
before(async () => {
  good = await goodFiles()
})
function goodOf(mimeType: string): Buffer {
  const found = good.find((file) => file.mimeType === mimeType)
  assert.ok(found !== undefined)
  return Buffer.from(found.bytes)
}

describe('examineFile', () => {
  it('has accounts take turns: who comes last does not wait for all that another has sent before', async () => {
    const bytes = goodOf('image/png')
    const files = await Promise.all(
      Array.from({ length: 13 }, () => receiveFile(Readable.from([bytes]), { directory: folder, name: 'a' })),
    )
    const last = files.pop()
    assert.ok(last)
    // Both places are warm: what counts is the order, and not how long a process takes to start.
    await Promise.all([examine(bytes), examine(bytes)])
    const many = newId('acct')
    const done: string[] = []
    const all = files.map(async (file) => {
      await examineFile(file, { account: many })
      done.push('many')
    })
    await examineFile(last, { account: newId('acct') })
    assert.ok(done.length < 6, `${done.length} of 12 were before it`)
    await Promise.all(all)
  })

  it('lets no demuxer write of foreign files to the console', async () => {
    const bytes = goodOf('video/mp4')
    bytes.write('zzzz', bytes.indexOf('avc1', bytes.indexOf('stsd')), 'latin1')
    const { path } = await receiveFile(Readable.from([bytes]), { directory: folder, name: 'a' })
    const file = {
      path,
      kind: 'video',
      mimeType: 'video/mp4',
      ending: 'mp4',
      sizeBytes: bytes.length,
      sha256: '',
      name: '',
    }
    const script = `
      import { run } from ${JSON.stringify(import.meta.resolve('./examination.ts'))}
      import { probeInThread } from ${JSON.stringify(import.meta.resolve('../../media/probe-in-thread.ts'))}
      await run(${JSON.stringify(file)}).then(({ found }) => process.stdout.write(found))
      await probeInThread(${JSON.stringify(path)}).then(({ videoCodec }) => process.stdout.write(videoCodec))
    `
    // Not by `-e`: threads take over how their process was started.
    const program = join(folder, 'program.mjs')
    await writeFile(program, script)
    const run = await promisify(execFile)(process.execPath, ['--import', 'tsx', program])
    assert.match(run.stdout, /in a codec that is not known here.*unknown$/)
    assert.equal(run.stderr, '')
  })

  it('takes and measures a file of each type that is allowed', async () => {
    assert.equal(good.length, 11)
    for (const { name, bytes, mimeType, width, height, durationSeconds } of good) {
      const found = await examine(bytes)
      assert.deepEqual(
        [found.mimeType, found.width, found.height, found.durationSeconds, found.sizeBytes],
        [mimeType, width, height, durationSeconds, bytes.length],
        name,
      )
      assert.equal(found.kind, mimeType.split('/')[0])
    }
  })

  it('refuses every bad file with words that say what it is and what is allowed', async () => {
    const bad = await badFiles()
    assert.ok(bad.length >= 40, `${bad.length}`)
    const wrong: string[] = []
    for (const { name, bytes, says } of bad) {
      await refuses(bytes, says).catch((error: unknown) => wrong.push(`${name}: ${error}`))
    }
    assert.deepEqual(wrong, [])
  })

  it('measures a photograph as it is shown, not as it is stored', async () => {
    const turned = await examine(await testPicture(160, 90).withMetadata({ orientation: 6 }).jpeg().toBuffer())
    assert.deepEqual([turned.width, turned.height], [90, 160])
  })

  it('takes progressive, interlaced, transparent and grey pictures', async () => {
    for (const picture of [
      testPicture().jpeg({ progressive: true }),
      testPicture().png({ progressive: true }),
      testPicture().ensureAlpha(0.5).png(),
      testPicture().ensureAlpha(0.5).webp({ lossless: true }),
      testPicture().greyscale().jpeg(),
      testPicture().png({ palette: true }),
      testPicture().toColourspace('rgb16').png(),
      testPicture().toColourspace('cmyk').jpeg(),
    ]) {
      const found = await examine(await picture.toBuffer())
      assert.deepEqual([found.width, found.height], [160, 90])
    }
  })

  it('does not unpack the notes in a picture', async () => {
    const png = goodOf('image/png')
    const note = pngChunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.alloc(20_000_000))]))
    const began = process.cpuUsage()
    const found = await examine(Buffer.concat([png.subarray(0, 33), ...Array(200).fill(note), png.subarray(33)]))
    assert.equal(found.width, 160)
    // They come to 4 GB, which take half a minute of the processor.
    assert.ok(process.cpuUsage(began).user < 10_000_000)
  })

  it('cuts off what lies behind the end, whatever it is, and answers the size and hash of what is left', async () => {
    const wrong: string[] = []
    for (const { name, bytes, content, mimeType } of await trailedFiles()) {
      const found = await examine(bytes).catch((error: unknown) => String(error))
      if (typeof found === 'string') wrong.push(`${name}: ${found}`)
      else {
        const left = await readFile(found.path)
        assert.ok(left.equals(content), `${name}: ${left.length} bytes of ${content.length}`)
        assert.deepEqual([found.mimeType, found.sizeBytes], [mimeType, content.length], name)
        assert.equal(found.sha256, createHash('sha256').update(content).digest('hex'), name)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('takes what every viewer shows whole, though decoders warn of it', async () => {
    for (const [name, width, height] of [
      ['scan-of-no-coefficients.jpg', 320, 240],
      ['camera-notes-behind.jpg', 320, 240],
      ['line-break-behind.png', 320, 240],
      ['zeros-behind.mp4', 160, 120],
    ] as const) {
      const found = await examine(await readFile(join(FIXTURES, name)))
      assert.deepEqual([found.width, found.height], [width, height], name)
    }
    for (const [name, bytes] of Object.entries(await oddPictures())) {
      const found = await examine(bytes).catch((error: unknown) => String(error))
      assert.ok(typeof found !== 'string', `${name}: ${found}`)
      assert.deepEqual([found.width, found.height], [160, 90], name)
    }
  })

  it('lets the tracks of an MP4 decide whether it is a video or sound', async () => {
    const film = goodOf('video/mp4')
    film.write('M4A ', 8, 'latin1')
    const asVideo = await examine(film)
    assert.deepEqual(
      [asVideo.kind, asVideo.mimeType, asVideo.ending, asVideo.width],
      ['video', 'video/mp4', 'mp4', 160],
    )
    const song = goodOf('audio/mp4')
    song.write('isom', 8, 'latin1')
    const asSound = await examine(song)
    assert.deepEqual([asSound.kind, asSound.mimeType, asSound.ending], ['audio', 'audio/mp4', 'm4a'])
    assert.equal(asSound.durationSeconds, 1.003)
  })

  it('measures videos in fragments and with the index behind', async () => {
    for (const format of ['mp4-fragments', 'mp4-index-last'] as const) {
      const found = await examine(await videoBytes({ format, durationSeconds: 2 }))
      assert.equal(found.mimeType, 'video/mp4')
      // The frames of fragments start where B-frames put them, a frame or two after 0.
      assert.ok(Math.abs((found.durationSeconds ?? 0) - 2) < 0.25, `${found.durationSeconds}`)
    }
  })

  it('reads MP3 and AAC behind a tag, however long its cover is, and with a tag at the end', async () => {
    const tag = (size: number) => {
      const header = Buffer.from('ID3\x04\0\0', 'latin1')
      const sizes = Buffer.from([21, 14, 7, 0].map((shift) => (size >> shift) & 0x7f))
      return Buffer.concat([header, sizes, Buffer.alloc(size)])
    }
    const trailer = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125)])
    for (const size of [100, 300_000]) {
      const song = await examine(Buffer.concat([tag(size), testMp3(), trailer]))
      assert.deepEqual([song.mimeType, song.durationSeconds], ['audio/mpeg', 1.306])
      const aac = await examine(Buffer.concat([tag(size), goodOf('audio/aac')]))
      assert.deepEqual([aac.mimeType, aac.ending, aac.durationSeconds], ['audio/aac', 'aac', 1.024])
    }
    await refuses(Buffer.concat([tag(300_000), Buffer.from('nothing of that sort')]), /MP3 sound without any/)
    await refuses(tag(300_000), /MP3 sound without any|cut short/)
  })

  it('counts the frames of an MP3 that says how many it has', async () => {
    const counted = (frames: number) => {
      const first = testMp3(1)
      first.write('Xing', 36, 'latin1')
      first.writeUInt32BE(1, 40)
      first.writeUInt32BE(frames, 44)
      return Buffer.concat([first, testMp3(50)])
    }
    assert.equal((await examine(counted(50))).durationSeconds, 1.306)
    await refuses(counted(60), /cut short/)
  })

  it('takes sound that was written to a pipe, without its length', async () => {
    const wav = testWav()
    wav.writeUInt32LE(0xffff_ffff, 4)
    wav.writeUInt32LE(0xffff_ffff, 40)
    assert.equal((await examine(wav)).durationSeconds, 1)
  })

  it('gives up on a file that catches the demuxer in a loop, and answers others meanwhile', async () => {
    const caught = await endlessWebm()
    let isOver = false
    const examining = refuses(caught, /a WebM video that is damaged and cannot be read/).then(() => {
      isOver = true
    })
    assert.equal((await examine(goodOf('video/mp4'))).durationSeconds, 1)
    assert.equal(isOver, false)
    await examining
    assert.equal((await examine(goodOf('video/webm'))).durationSeconds, 1)
  })

  it('survives any damaged byte: a file is taken or refused, never a fault', async () => {
    for (const { bytes, mimeType } of good) {
      const step = Math.max(1, Math.floor(bytes.length / 40))
      for (let at = 12; at < bytes.length; at += step) {
        const damaged = Buffer.from(bytes)
        damaged[at] = 0xff - (damaged[at] ?? 0)
        await examine(damaged).catch((error: unknown) => {
          assert.ok(error instanceof FileRefused, `${mimeType} at ${at}: ${error}`)
        })
      }
    }
  })
})
