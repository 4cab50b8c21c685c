import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { firstLoudSecond, makeVideo, toneAt } from '../../../test/support/make-video.ts'
import { loadNodeAv } from '../encode/node-av-encoder.ts'
import type { Decoder, DecoderOptions } from './decoder.ts'
import { openFfmpegDecoder } from './ffmpeg-decoder.ts'
import { openNodeAvDecoder } from './node-av-decoder.ts'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const NO_FFMPEG = hasFfmpeg ? false : 'no ffmpeg on this machine'
const [WIDTH, HEIGHT] = [96, 64]
const SIZE = { width: WIDTH, height: HEIGHT }

let directory = ''
let path = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-decode-'))
  path = join(directory, 'steps.mp4')
  // Each frame is brighter by 4; the upper left quarter is white, so that one sees which way up it is.
  await makeVideo({
    ...{ path, ...SIZE, frames: 36, sound: toneAt(1) },
    luma: (frame, x, y) => (x < WIDTH / 4 && y < HEIGHT / 4 ? 235 : 30 + frame * 4),
  })
})
after(() => rm(directory, { recursive: true, force: true }))

const DECODERS: readonly [string, false | string, (options: DecoderOptions) => Promise<Decoder>][] = [
  ['node-av', false, async (options) => openNodeAvDecoder(await loadNodeAv(), options)],
  ['the machine’s ffmpeg', NO_FFMPEG, (options) => openFfmpegDecoder(options)],
]

for (const [name, skip, open] of DECODERS) {
  describe(`decoding with ${name}`, { skip }, () => {
    test('gives each frame in its turn, then the last one again', async () => {
      await using decoder = await open({ path, ...SIZE })
      const brightness = []
      for (let frame = 0; frame < 40; frame++) brightness.push((await decoder.nextPicture())[WIDTH * HEIGHT - 1] ?? 0)
      for (const [frame, luma] of brightness.entries()) {
        const expected = 30 + Math.min(35, frame) * 4
        assert.ok(Math.abs(luma - expected) <= 2, `frame ${frame} has ${luma}, not ${expected}`)
      }
    })

    test('keeps sound at its time, and goes on in silence', async () => {
      await using decoder = await open({ path, ...SIZE })
      const shares = []
      for (let frame = 0; frame < 48; frame++) shares.push(await decoder.nextSound())
      assert.ok(Math.abs(firstLoudSecond(shares) - 1) < 0.001, `the tone is at ${firstLoudSecond(shares)}`)
      assert.ok(shares.slice(40).every((share) => share.length === 4_000 && share.every((sample) => sample === 0)))
    })

    test('scales, and turns a picture upright', async () => {
      const turned = join(directory, 'turned.mp4')
      await writeFile(turned, quarterTurned(await readFile(path)))
      await using decoder = await open({ path: turned, width: HEIGHT / 2, height: WIDTH / 2 })
      const planes = await decoder.nextPicture()
      assert.equal(planes.length, (WIDTH * HEIGHT * 3) / 8)
      // Clockwise, the white corner comes to stand at the upper right.
      const corner = (x: number, y: number) => planes[y * (HEIGHT / 2) + x] ?? 0
      assert.ok(corner(HEIGHT / 2 - 2, 2) > 200 && corner(2, 2) < 60 && corner(HEIGHT / 2 - 2, WIDTH / 2 - 2) < 60)
    })

    test('opens videos, not playlists that name other files', async () => {
      const playlist = join(directory, 'list.m3u8')
      await writeFile(playlist, `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${path}\n#EXT-X-ENDLIST\n`)
      await assert.rejects(async () => {
        await using decoder = await open({ path: playlist, ...SIZE })
        await decoder.nextPicture()
      })
    })

    test('plays what is left of a file that is cut short', async () => {
      const cut = join(directory, 'cut.mp4')
      const whole = await readFile(path)
      await writeFile(cut, whole.subarray(0, Math.floor(whole.length * 0.8)))
      await using decoder = await open({ path: cut, ...SIZE })
      for (let frame = 0; frame < 36; frame++) assert.equal((await decoder.nextPicture()).length, WIDTH * HEIGHT * 1.5)
    })
  })
}

const KINDS: readonly [string, readonly string[]][] = [
  ['30 frames per second', ['-r', '30', '-c:v', 'libx264', '-c:a', 'aac', 'thirty.mp4']],
  [
    '60 frames per second in VP9 and Opus',
    ['-r', '60', '-c:v', 'libvpx-vp9', '-cpu-used', '8', '-c:a', 'libopus', 'vp9.webm'],
  ],
  ['VP8 and Vorbis', ['-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libvorbis', 'vp8.webm']],
  ['full range', ['-c:v', 'libx264', '-pix_fmt', 'yuvj420p', '-color_range', 'pc', '-c:a', 'aac', 'full.mov']],
  ['six channels', ['-c:v', 'libx264', '-c:a', 'aac', '-ac', '6', 'surround.mp4']],
  ['no sound', ['-c:v', 'libx264', '-an', 'silent.mp4']],
  ['an odd size', ['-vf', 'scale=95:63', '-c:v', 'libx264', '-pix_fmt', 'yuv444p', '-c:a', 'aac', 'odd.mp4']],
]

describe('decoding other kinds of files', { skip: NO_FFMPEG }, () => {
  for (const [kind, parameters] of KINDS) {
    test(`reads ${kind}`, async () => {
      const [name] = parameters.slice(-1)
      const made = join(directory, name ?? '')
      const run = spawnSync('ffmpeg', ['-loglevel', 'error', '-y', '-i', path, ...parameters.slice(0, -1), made])
      assert.equal(run.status, 0, run.stderr.toString())
      await using decoder = await openNodeAvDecoder(await loadNodeAv(), { path: made, ...SIZE })
      const shares = []
      for (let frame = 0; frame < 36; frame++) {
        const luma = (await decoder.nextPicture())[WIDTH * HEIGHT - 1] ?? 0
        assert.ok(Math.abs(luma - (30 + frame * 4)) <= 7, `frame ${frame} has ${luma}`)
        shares.push(await decoder.nextSound())
      }
      if (kind === 'no sound') assert.ok(shares.every((share) => share.every((sample) => sample === 0)))
      else assert.ok(Math.abs(firstLoudSecond(shares) - 1) < 0.008, `the tone is at ${firstLoudSecond(shares)}`)
    })
  }
})

/** The same MP4, with the matrix in its first track's header turned by 90° clockwise. */
function quarterTurned(file: Buffer): Buffer {
  const matrix = file.indexOf('tkhd') + 44
  for (const [place, value] of [0, 1, 0, -1, 0].entries()) file.writeInt32BE(value * 65_536, matrix + place * 4)
  return file
}
