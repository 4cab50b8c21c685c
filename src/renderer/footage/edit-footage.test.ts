import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny'
import { firstLoudSecond, makeVideo, toneAt } from '../../../test/support/make-video.ts'
import { sourceReference } from '../../../test/support/source-reference.ts'
import type { GenerationRequest } from '../../canonical/generation.ts'
import { newId } from '../../canonical/ids.ts'
import { openDecoder } from '../decode/open-decoder.ts'
import { render } from '../render.ts'
import { openEditFootage } from './edit-footage.ts'

const SIZE = { width: 128, height: 96 }
const FRAMES = 36

let directory = ''
let path = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-edit-'))
  path = join(directory, 'source.mp4')
  await makeVideo({
    ...{ path, ...SIZE, frames: FRAMES, sound: toneAt(1) },
    luma: (frame, x, y) => 110 + Math.round(60 * Math.sin((x + frame) / 9) * Math.cos(y / 7)),
  })
})
after(() => rm(directory, { recursive: true, force: true }))

function edit(prompt: string): GenerationRequest {
  return {
    ...{ model: 'grok-imagine-video', operation: 'edit', prompt, durationSeconds: FRAMES / 24, resolution: '480p' },
    ...{ aspectRatio: 'source', mode: 'normal', seed: 1, references: [sourceReference({ ...SIZE, frames: FRAMES })] },
  } as const
}

/** All planes of an edit, one after the other. */
async function planesOf(prompt: string, change: Partial<GenerationRequest> = {}): Promise<Uint8Array[]> {
  await using footage = await openEditFootage({ request: { ...edit(prompt), ...change }, referencePaths: [path] })
  const frames = []
  for (let frame = 0; frame < footage.framesTotal; frame++) {
    const drawn = await footage.draw(frame)
    frames.push(drawn.convert(new Uint8Array(SIZE.width * SIZE.height * 1.5)))
    await footage.sound()
  }
  return frames
}

test('writes H.264 and AAC of exactly the source’s length and size, with its sound in place', async () => {
  const outputPath = join(directory, 'edit.mp4')
  await render({ request: edit('at night, in the rain'), referencePaths: [path], outputPath })
  const input = new Input({ source: new FilePathSource(outputPath), formats: ALL_FORMATS })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  assert.ok(video !== null && audio !== null)
  assert.deepEqual([video.codec, audio.codec], ['avc', 'aac'])
  assert.deepEqual([video.displayWidth, video.displayHeight], [SIZE.width, SIZE.height])
  assert.equal((await video.computePacketStats()).packetCount, FRAMES)
  const head = (await readFile(outputPath)).toString('latin1')
  assert.ok(head.indexOf('moov') < head.indexOf('mdat'))
  await using decoder = await openDecoder({ path: outputPath, ...SIZE })
  const shares = []
  for (let frame = 0; frame < FRAMES; frame++) shares.push(await decoder.nextSound())
  assert.ok(Math.abs(firstLoudSecond(shares) - 1) < 0.001, `the tone is at ${firstLoudSecond(shares)}`)
})

test('gives the same planes for the same request, and others for other words', async () => {
  const [once, again, other] = [await planesOf('warm snow'), await planesOf('warm snow'), await planesOf('cold rain')]
  assert.deepEqual(once, again)
  assert.notDeepEqual(once, other)
})

test('puts no second caption on a video that was made here', async () => {
  const references = [{ ...sourceReference({ ...SIZE, frames: FRAMES }), taskId: newId('task') }]
  const own = await planesOf('"Hi"', { references })
  const [withCamera, brought] = [await planesOf('"Hi", zoom in', { references }), await planesOf('"Hi"')]
  await using decoder = await openDecoder({ path, ...SIZE })
  const source = await decoder.nextPicture()
  // How dark the plate of the caption makes its corner in the first frame, in which the title has not come up yet.
  const corner = (planes: Uint8Array | undefined) =>
    Array.from({ length: 10 }, (_, row) => planes?.[(SIZE.height - 14 + row) * SIZE.width + 6] ?? 0)
  assert.deepEqual(corner(own[0]), corner(source))
  assert.notDeepEqual(corner(brought[0]), corner(source))
  // A camera carries the old one out of sight.
  assert.notDeepEqual(corner(withCamera[0]), corner(source))
})

test('changes every frame in the direction that the words say, within the tv range', async () => {
  const [plain, dark, warm] = [await planesOf('blur'), await planesOf('darker'), await planesOf('warm')]
  const mean = (planes: Uint8Array | undefined, from: number, to: number) =>
    (planes ?? new Uint8Array()).subarray(from, to).reduce((sum, value) => sum + value, 0) / (to - from)
  const pixels = SIZE.width * SIZE.height
  for (const frame of [0, 17, 35]) {
    assert.ok(mean(dark[frame], 0, pixels) < mean(plain[frame], 0, pixels) - 20)
    assert.ok(mean(warm[frame], pixels * 1.25, pixels * 1.5) > mean(plain[frame], pixels * 1.25, pixels * 1.5) + 5)
    assert.ok(dark[frame]?.every((value) => value >= 16 && value <= 240))
  }
})

test('gives the source’s samples, whatever happens to the picture', async () => {
  await using footage = await openEditFootage({ request: edit('fast and energetic'), referencePaths: [path] })
  await using decoder = await openDecoder({ path, ...SIZE })
  for (let frame = 0; frame < FRAMES; frame++) {
    ;(await footage.draw(frame)).convert(new Uint8Array(SIZE.width * SIZE.height * 1.5))
    assert.deepEqual(await footage.sound(), await decoder.nextSound())
  }
})
