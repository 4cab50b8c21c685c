import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny'
import { SAMPLES_PER_FRAME } from './encoder.ts'
import { openFfmpegEncoder } from './ffmpeg-encoder.ts'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const [WIDTH, HEIGHT, FRAMES] = [64, 48, 24]

test('encodes through the machine’s ffmpeg to the same shape of file', {
  skip: hasFfmpeg ? false : 'no ffmpeg on this machine',
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-ffmpeg-'))
  try {
    const path = join(directory, 'clip.mp4')
    await using encoder = await openFfmpegEncoder({ path, width: WIDTH, height: HEIGHT })
    const planes = new Uint8Array((WIDTH * HEIGHT * 3) / 2).fill(128)
    for (let frame = 0; frame < FRAMES; frame++) {
      planes.fill(16 + frame * 8, 0, WIDTH * HEIGHT)
      await encoder.write(planes, new Float32Array(SAMPLES_PER_FRAME * 2))
    }
    await encoder.finish()
    const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS })
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
    assert.equal((await video?.computePacketStats())?.packetCount, FRAMES)
    assert.equal(await video?.computeDuration(), 1)
    assert.deepEqual([video?.codec, audio?.codec], ['avc', 'aac'])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test('says so when the machine has no such program', async () => {
  await using encoder = await openFfmpegEncoder({ path: '/dev/null', width: WIDTH, height: HEIGHT }, 'no-such-ffmpeg')
  await assert.rejects(encoder.finish(), /could not be started/u)
})
