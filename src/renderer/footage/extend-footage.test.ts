import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny'
import { makeVideo } from '../../../test/support/make-video.ts'
import { sourceReference } from '../../../test/support/source-reference.ts'
import type { GenerationRequest } from '../../canonical/generation.ts'
import { openDecoder } from '../decode/open-decoder.ts'
import { planeNoise } from '../paint/noise.ts'
import { render } from '../render.ts'
import { seededRandom } from '../storyboard/seeded-random.ts'
import { openExtendFootage } from './extend-footage.ts'

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0
const FRAMES = 24
const ADDED_SECONDS = 2

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-extend-'))
})
after(() => rm(directory, { recursive: true, force: true }))

const texture = planeNoise(seededRandom(5), 5)

interface Clip {
  readonly width: number
  readonly height: number
  /** Pixels to the right for each frame. */
  readonly speed?: number
  readonly zoom?: number
  /** Steps of luma. */
  readonly noise?: number
}

/** A clip in which a camera moves over a textured plane, with a hum. */
async function makeClip(name: string, { width, height, speed = 0, zoom = 0, noise = 0 }: Clip): Promise<string> {
  const path = join(directory, `${name}.mp4`)
  const random = seededRandom(4)
  await makeVideo({
    ...{ path, width, height, frames: FRAMES },
    luma: (frame, x, y) => {
      const scale = Math.exp(-zoom * frame)
      const place = texture(((x - width / 2) * scale + speed * frame) / 40, ((y - height / 2) * scale) / 40)
      return 126 + Math.round(80 * place + (random() - 0.5) * 3.46 * noise)
    },
    sound: (seconds) => 0.3 * Math.cos(seconds * Math.PI * 2 * 330),
  })
  return path
}

function extend({ width, height }: Clip, prompt = 'it goes on', frames = FRAMES): GenerationRequest {
  return {
    ...{ model: 'grok-imagine-video', operation: 'extend', prompt, durationSeconds: ADDED_SECONDS, resolution: '480p' },
    ...{ aspectRatio: 'source', mode: 'normal', seed: 1, references: [sourceReference({ width, height, frames })] },
  } as const
}

async function framesOf(path: string, request: GenerationRequest): Promise<{ planes: Uint8Array[]; sound: number[] }> {
  await using footage = await openExtendFootage({ request, referencePaths: [path] })
  const [planes, sound]: [Uint8Array[], number[]] = [[], []]
  for (let frame = 0; frame < footage.framesTotal; frame++) {
    planes.push((await footage.draw(frame)).convert(new Uint8Array(footage.width * footage.height * 1.5)))
    sound.push(...(await footage.sound()))
  }
  return { planes, sound }
}

/** Mean difference of luma from each frame to the next. */
function differences(planes: readonly Uint8Array[], pixels: number): number[] {
  return planes.slice(1).map((after, index) => {
    const before = planes[index] ?? after
    let sum = 0
    for (let at = 0; at < pixels; at++) sum += Math.abs((after[at] ?? 0) - (before[at] ?? 0))
    return sum / pixels
  })
}

const WIDE = { width: 320, height: 192 }
const CLIPS: readonly [string, Clip][] = [
  ['a slow pan', { ...WIDE, speed: 1.5 }],
  ['a fast pan', { ...WIDE, speed: 11 }],
  ['a zoom', { ...WIDE, zoom: 0.012 }],
  ['a camera that stands still', WIDE],
  ['noise before a camera that stands still', { ...WIDE, noise: 4 }],
  ['a pan through a vertical picture', { width: 192, height: 320, speed: -2.4 }],
]

for (const [name, clip] of CLIPS) {
  test(`goes on from ${name} without a seam`, async () => {
    const path = await makeClip(name, clip)
    const { planes } = await framesOf(path, extend(clip))
    assert.equal(planes.length, FRAMES + ADDED_SECONDS * 24)
    const found = differences(planes, clip.width * clip.height)
    const before = found.slice(FRAMES - 9, FRAMES - 1)
    const [least, most] = [Math.min(...before), Math.max(...before)]
    for (const [step, change] of found.slice(FRAMES - 1, FRAMES + 2).entries()) {
      assert.ok(
        change <= most * 1.25 + 0.35,
        `step ${step} after the source jumps by ${change}, before it ${most} at most`,
      )
      assert.ok(change >= least * 0.6 - 0.35, `step ${step} after the source freezes: ${change}, before it ${least}`)
    }
    const bright = (frame: Uint8Array | undefined) =>
      (frame ?? new Uint8Array()).subarray(0, clip.width * clip.height).reduce((sum, luma) => sum + luma, 0)
    const pixels = clip.width * clip.height
    assert.ok(Math.abs(bright(planes[FRAMES]) - bright(planes[FRAMES - 1])) / pixels < 1)
  })
}

test('goes on from what is blacker than black and whiter than white without specks', async () => {
  const path = join(directory, 'beyond.mp4')
  const random = seededRandom(4)
  await makeVideo({
    ...{ path, ...WIDE, frames: FRAMES },
    luma: (_, x) => Math.round(random() * 3) + (x < WIDE.width / 2 ? 0 : 252),
  })
  const { planes } = await framesOf(path, extend(WIDE))
  for (const frame of planes.slice(FRAMES)) {
    // Away from the edge between them, where the encoder rings, and above the caption.
    for (let y = 0; y < 150; y++) {
      const [black, white] = [
        frame.subarray(y * WIDE.width, y * WIDE.width + 130),
        frame.subarray(y * WIDE.width + 190),
      ]
      assert.ok(black.every((luma) => luma < 30) && white.subarray(0, 130).every((luma) => luma > 220), `row ${y}`)
    }
  }
})

test('keeps the whole source as it was, and changes it only afterwards, by degrees', async () => {
  const clip = { ...WIDE, speed: 1.5 }
  const path = await makeClip('kept', clip)
  const { planes } = await framesOf(path, extend(clip, 'night falls, everything gets darker'))
  await using decoder = await openDecoder({ path, ...WIDE })
  for (let frame = 0; frame < FRAMES; frame++)
    assert.deepEqual(planes[frame], new Uint8Array(await decoder.nextPicture()))
  const brightness = planes.map((frame) =>
    frame.subarray(0, WIDE.width * WIDE.height).reduce((sum, luma) => sum + luma, 0),
  )
  const mean = (frame: number) => (brightness[frame] ?? 0) / (WIDE.width * WIDE.height)
  assert.ok(Math.abs(mean(FRAMES) - mean(FRAMES - 1)) < 1.5)
  assert.ok(mean(FRAMES + 24) < mean(FRAMES) - 10 && mean(FRAMES + 40) < mean(FRAMES + 24))
})

test('goes on in sound without a click, and as loud', async () => {
  const path = await makeClip('sounding', WIDE)
  const { sound } = await framesOf(path, extend(WIDE, 'waves on the sea'))
  const seam = FRAMES * 4_000
  // Neighbouring samples of one channel: 0.013 at the steepest of the hum, a little more where AAC ends; a cut is 0.3.
  for (let at = seam - 4_000; at < seam + 400; at += 2) {
    assert.ok(
      Math.abs((sound[at + 2] ?? 0) - (sound[at] ?? 0)) < 0.06,
      `a step at sample ${(at - seam) / 2} after the seam`,
    )
  }
  const loudness = (from: number, to: number) =>
    Math.sqrt(sound.slice(from, to).reduce((sum, sample) => sum + sample * sample, 0) / (to - from))
  const [source, going] = [loudness(seam - 48_000, seam), loudness(seam + 96_000, seam + 144_000)]
  assert.ok(going > source * 0.3 && going < source * 2, `${source} before, ${going} after`)
})

test('gives the same planes for the same request', async () => {
  const clip = { ...WIDE, speed: 2, noise: 2 }
  const path = await makeClip('repeated', clip)
  const [once, again] = [await framesOf(path, extend(clip, 'snow')), await framesOf(path, extend(clip, 'snow'))]
  assert.deepEqual(once.planes, again.planes)
  assert.deepEqual(once.sound, again.sound)
})

test('writes the source and as many seconds more, also where the source has another rate and no sound', {
  skip: hasFfmpeg ? false : 'no ffmpeg on this machine',
}, async () => {
  const [source, outputPath] = [join(directory, 'thirty.mp4'), join(directory, 'longer.mp4')]
  const made = ['-f', 'lavfi', '-i', 'testsrc2=s=320x192:r=30:d=1.5', '-pix_fmt', 'yuv420p', source]
  assert.equal(spawnSync('ffmpeg', ['-loglevel', 'error', '-y', ...made]).status, 0)
  await render({ request: extend(WIDE, 'rain', 36), referencePaths: [source], outputPath })
  const input = new Input({ source: new FilePathSource(outputPath), formats: ALL_FORMATS })
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]
  assert.equal((await video?.computePacketStats())?.packetCount, 36 + ADDED_SECONDS * 24)
  assert.equal(await video?.computeDuration(), 3.5)
  assert.deepEqual([video?.codec, audio?.codec], ['avc', 'aac'])
})
