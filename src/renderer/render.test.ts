import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny'
import sharp from 'sharp'
import type { GenerationRequest } from '../canonical/generation.ts'
import { newId } from '../canonical/ids.ts'
import { render } from './render.ts'

const REQUEST: GenerationRequest = {
  model: 'grok-imagine-video',
  operation: 'generate',
  prompt: 'waves at sunset',
  durationSeconds: 1,
  resolution: '480p',
  aspectRatio: '1:1',
  mode: 'normal',
  seed: 3,
  references: [],
}

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-render-'))
})
after(() => rm(directory, { recursive: true, force: true }))

/** The names of an MP4's top-level boxes, in order. */
function boxes(file: Buffer): string[] {
  const names: string[] = []
  for (let at = 0; at < file.length; at += file.readUInt32BE(at)) names.push(file.toString('latin1', at + 4, at + 8))
  return names
}

test('writes H.264 and AAC with exactly the frames that were asked for, index in front', async () => {
  const path = join(directory, 'clip.mp4')
  const progress: number[] = []
  await render({
    request: { ...REQUEST, durationSeconds: 2 },
    outputPath: path,
    onProgress: (done) => progress.push(done),
  })
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  assert.ok(video !== null && audio !== null)
  assert.equal(await video.getCodecParameterString(), 'avc1.64001e')
  assert.deepEqual([video.displayWidth, video.displayHeight], [480, 480])
  const statistics = await video.computePacketStats()
  assert.deepEqual([statistics.packetCount, statistics.averagePacketRate], [48, 24])
  assert.equal(await video.computeDuration(), 2)
  const colour = await video.getColorSpace()
  assert.deepEqual(
    [colour.primaries, colour.transfer, colour.matrix, colour.fullRange],
    ['bt709', 'bt709', 'bt709', false],
  )
  assert.deepEqual([audio.codec, audio.sampleRate, audio.numberOfChannels], ['aac', 48_000, 2])
  const soundEnds = await audio.computeDuration()
  assert.ok(Math.abs(soundEnds - 2) <= 1_024 / 48_000, `the sound ends at ${soundEnds}`)
  const order = boxes(await readFile(path))
  assert.ok(order.indexOf('moov') < order.indexOf('mdat'), order.join(' '))
  assert.deepEqual(
    progress,
    Array.from({ length: 48 }, (_, index) => index + 1),
  )
  assert.deepEqual(await readdir(directory), ['clip.mp4'])
})

test('writes the same bytes for the same request', async () => {
  const digests = []
  for (const name of ['one.mp4', 'two.mp4']) {
    await render({ request: REQUEST, outputPath: join(directory, name) })
    digests.push(
      createHash('sha256')
        .update(await readFile(join(directory, name)))
        .digest('hex'),
    )
  }
  assert.equal(digests[0], digests[1])
})

test('moves through a picture for exactly as long as was asked, in the shape of the picture', async () => {
  const picture = join(directory, 'picture.png')
  await sharp({ create: { width: 320, height: 200, channels: 3, background: '#48a' } })
    .png()
    .toFile(picture)
  const outputPath = join(directory, 'moving.mp4')
  const reference = {
    role: 'firstFrame',
    fileId: newId('file'),
    kind: 'image',
    mimeType: 'image/png',
    sizeBytes: 1,
    sha256: '',
    storeKey: '',
    width: 320,
    height: 200,
  } as const
  const request: GenerationRequest = { ...REQUEST, prompt: '', aspectRatio: 'source', references: [reference] }
  await render({ request, referencePaths: [picture], outputPath })
  const input = new Input({ source: new FilePathSource(outputPath), formats: ALL_FORMATS })
  const video = await input.getPrimaryVideoTrack()
  assert.ok(video !== null)
  assert.deepEqual([video.displayWidth, video.displayHeight, await video.computeDuration()], [768, 480, 1])
  assert.equal((await video.computePacketStats()).packetCount, 24)
  await assert.rejects(render({ request, outputPath }), /1 references were asked for, and 0 files given/u)
})

test('fails with what is wrong, and leaves nothing, when a later picture cannot be read while frames are encoded', async () => {
  const [good, bad] = [join(directory, 'good.png'), join(directory, 'bad.png')]
  await sharp({ create: { width: 1_280, height: 720, channels: 3, background: '#48a' } })
    .png()
    .toFile(good)
  await writeFile(bad, 'no picture')
  const reference = {
    role: 'reference',
    fileId: newId('file'),
    kind: 'image',
    mimeType: 'image/png',
    sizeBytes: 1,
    sha256: '',
    storeKey: '',
    width: 1_280,
    height: 720,
  } as const
  const request: GenerationRequest = {
    ...REQUEST,
    resolution: '720p',
    aspectRatio: '16:9',
    references: [reference, reference],
  }
  const outputPath = join(directory, 'failed.mp4')
  for (let attempt = 0; attempt < 3; attempt++) {
    await assert.rejects(render({ request, referencePaths: [good, bad], outputPath }), /unsupported image format/u)
  }
  assert.ok((await readdir(directory)).every((name) => !name.startsWith('failed')))
})

test('leaves nothing behind when it cannot write', async () => {
  // A folder that would have to be inside a file.
  await assert.rejects(render({ request: REQUEST, outputPath: join(directory, 'clip.mp4', 'clip.mp4') }))
})
