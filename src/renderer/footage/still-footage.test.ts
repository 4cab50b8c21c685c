import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Canvas, createCanvas } from '@napi-rs/canvas'
import sharp, { type Sharp } from 'sharp'
import { ASPECT_RATIOS, type GenerationRequest, pixelSize } from '../../canonical/generation.ts'
import { newId } from '../../canonical/ids.ts'
import type { Reference, ReferenceRole } from '../../canonical/reference.ts'
import { openStillFootage } from './still-footage.ts'

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reelay-still-'))
})
after(() => rm(directory, { recursive: true, force: true }))

type Given = readonly [path: string, role: ReferenceRole]

/** A request for a second of video, and its pictures. */
async function order(given: readonly Given[], change: Partial<GenerationRequest> = {}) {
  const references = await Promise.all(given.map(([path, role]) => referenceTo(path, role)))
  const request: GenerationRequest = {
    model: 'grok-imagine-video',
    operation: 'generate',
    prompt: '',
    durationSeconds: 1,
    resolution: '480p',
    aspectRatio: 'source',
    mode: 'normal',
    seed: 3,
    references,
    ...change,
  }
  return { request, referencePaths: given.map(([path]) => path) }
}

async function referenceTo(path: string, role: ReferenceRole): Promise<Reference> {
  const { autoOrient, size = 1 } = await sharp(path).metadata()
  const file = {
    fileId: newId('file'),
    mimeType: 'image/png',
    sizeBytes: size,
    sha256: 'ab'.repeat(32),
    storeKey: 'ab',
  }
  return { role, kind: 'image', ...file, ...autoOrient }
}

interface Frames {
  readonly width: number
  readonly height: number
  readonly framesTotal: number
  readonly planes: readonly Uint8Array[]
}

/** Draws a clip as far as the last of the given frames, and keeps them; −1 is the last of the clip. */
async function draw(
  given: readonly Given[],
  kept: readonly number[],
  change: Partial<GenerationRequest> = {},
): Promise<Frames> {
  await using footage = await openStillFootage(await order(given, change))
  const { width, height, framesTotal } = footage
  const wanted = kept.map((frame) => (frame + framesTotal) % framesTotal)
  const planes: Uint8Array[] = []
  for (let frame = 0; frame <= Math.max(...wanted); frame++) {
    const drawn = await footage.draw(frame)
    const whole = drawn.convert(new Uint8Array((width * height * 3) / 2))
    const place = wanted.indexOf(frame)
    if (place >= 0) planes[place] = whole
    assert.equal((await footage.sound()).length, 4_000)
  }
  return { width, height, framesTotal, planes }
}

async function save(name: string, picture: Canvas | Sharp): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, 'encode' in picture ? await picture.encode('png') : await picture.toBuffer())
  return path
}

/** Stripes of every strength and a disc, so that nothing looks like it when moved or turned. */
function chart(width: number, height: number, hue = 0): Canvas {
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  for (let stripe = 0; stripe < 24; stripe++) {
    context.fillStyle = `hsl(${hue + stripe * 5}, 45%, ${20 + ((stripe * 37) % 60)}%)`
    context.fillRect((stripe * width) / 24, 0, width / 24 + 1, height)
  }
  context.fillStyle = '#fff'
  context.beginPath()
  context.arc(width * 0.5, height * 0.4, Math.min(width, height) * 0.2, 0, Math.PI * 2)
  context.fill()
  return canvas
}

/** Luma of a picture at a size, as an independent converter gives it. */
async function lumaOf(path: string, width: number, height: number): Promise<Uint8Array> {
  const rgb = await sharp(path).autoOrient().resize(width, height, { fit: 'fill' }).removeAlpha().raw().toBuffer()
  return Uint8Array.from({ length: width * height }, (_, index) => {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(index * 3)
    return Math.round(16 + (219 / 255) * (0.2126 * red + 0.7152 * green + 0.0722 * blue))
  })
}

/** Peak signal to noise of two lumas, in decibels, above the caption. */
function likeness(actual: Uint8Array, expected: Uint8Array, { width, height }: Frames): number {
  const count = width * Math.floor(height * 0.85)
  let squares = 0
  for (let at = 0; at < count; at++) squares += ((actual[at] ?? 0) - (expected[at] ?? 0)) ** 2
  return 10 * Math.log10((255 * 255 * count) / Math.max(1, squares))
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items
  assert.ok(item !== undefined)
  return item
}

test('has the size of every ratio and of the picture, and 24 frames for each second', async () => {
  const path = await save('shape.png', chart(700, 500))
  for (const aspectRatio of ASPECT_RATIOS) {
    await using footage = await openStillFootage(await order([[path, 'firstFrame']], { aspectRatio }))
    const { width, height, framesTotal } = footage
    assert.deepEqual({ width, height }, pixelSize('480p', aspectRatio))
    assert.equal(framesTotal, 24)
  }
  const own = await draw([[path, 'firstFrame']], [0], { durationSeconds: 2 })
  assert.deepEqual([own.width, own.height, own.framesTotal], [672, 480, 48])
})

test('starts with the picture itself', async () => {
  const path = await save('first.png', chart(720, 480))
  const frames = await draw([[path, 'firstFrame']], [0, -1], { prompt: 'zoom in, rain' })
  const expected = await lumaOf(path, frames.width, frames.height)
  const [start, end] = frames.planes
  assert.ok(start !== undefined && end !== undefined)
  const [before, later] = [likeness(start, expected, frames), likeness(end, expected, frames)]
  assert.ok(before > 46, `${before} dB`)
  assert.ok(later < 30, `the camera has not moved: ${later} dB`)
})

test('ends with exactly the last picture', async () => {
  const [from, to] = [await save('from.png', chart(720, 480)), await save('to.png', chart(720, 480, 180))]
  for (const prompt of ['', 'pan left', 'zoom out', 'static shot', 'orbit']) {
    const frames = await draw(
      [
        [to, 'lastFrame'],
        [from, 'firstFrame'],
      ],
      [0, -1],
      { prompt },
    )
    const [start, end] = frames.planes
    assert.ok(start !== undefined && end !== undefined)
    const like = likeness(end, await lumaOf(to, frames.width, frames.height), frames)
    assert.ok(like > 46, `“${prompt}” ends at ${like} dB`)
    // Only a move backwards starts nearer: there is nothing around the picture to come from.
    const started = likeness(start, await lumaOf(from, frames.width, frames.height), frames)
    assert.ok(started > 46 || prompt === 'zoom out', `“${prompt}” starts at ${started} dB`)
  }
})

test('never stretches: a circle stays one in every ratio', async () => {
  const canvas = createCanvas(900, 600)
  const context = canvas.getContext('2d')
  context.fillRect(0, 0, 900, 600)
  context.fillStyle = '#fff'
  context.beginPath()
  context.arc(450, 300, 150, 0, Math.PI * 2)
  context.fill()
  const path = await save('circle.png', canvas)
  for (const aspectRatio of ASPECT_RATIOS) {
    const { width, height, planes } = await draw([[path, 'firstFrame']], [0], { aspectRatio })
    const luma = first(planes).subarray(0, width * height)
    const lit = [...luma.keys()].filter((at) => (luma[at] ?? 0) > 125 && at < width * height * 0.86)
    const across = lit.map((at) => at % width)
    const columns =
      across.reduce((most, x) => Math.max(most, x), 0) - across.reduce((least, x) => Math.min(least, x), width)
    const rows = Math.floor((lit.at(-1) ?? 0) / width) - Math.floor((lit[0] ?? 0) / width)
    assert.ok(rows > 200 && Math.abs(columns - rows) <= 3, `${aspectRatio}: ${columns} × ${rows}`)
  }
})

test('draws the same frames for the same request and picture, and others for another picture', async () => {
  // WebP, which libvips answers from memory when a file of the same name was read before.
  const webp = (hue: number) => sharp(chart(640, 480, hue).toBuffer('image/png')).webp({ lossless: true })
  const [one, other] = [await save('one.webp', webp(0)), await save('other.webp', webp(90))]
  const print = async (path: string) => {
    const { planes } = await draw([[path, 'firstFrame']], [0, 9], { prompt: 'orbit in the snow', mode: 'fun' })
    return planes.reduce((hash, each) => hash.update(each), createHash('sha256')).digest('hex')
  }
  const before = await print(one)
  assert.equal(await print(one), before)
  assert.notEqual(await print(other), before)
  await save('one.webp', webp(90))
  assert.equal(await print(one), await print(other))
})

test('shows several pictures one after the other, in the order in which the prompt names them', async () => {
  const given: Given[] = []
  for (const background of ['#ff0000', '#00ff00', '#0000ff']) {
    const plain = sharp({ create: { width: 90, height: 90, channels: 3, background } })
    given.push([await save(`plain-${background.slice(1)}.png`, plain.png()), 'reference'])
  }
  const { planes } = await draw(given, [0, 36, 71], {
    durationSeconds: 3,
    prompt: 'From <IMAGE_3> to <image_1>, and <IMAGE_3> again',
    aspectRatio: '1:1',
  })
  const quarter = 240 * 240
  const shown = planes.map((each) => {
    const [blue = 0, red = 0] = [each[4 * quarter], each[5 * quarter]]
    return blue > 200 ? 'blue' : red > 200 ? 'red' : blue < 60 && red < 60 ? 'green' : 'a blend'
  })
  assert.deepEqual(shown, ['blue', 'red', 'green'])
})

test('shows each of seven pictures in a clip of one second', async () => {
  const given: Given[] = []
  for (let shade = 0; shade < 7; shade++) {
    const background = { r: 30 + shade * 30, g: 30 + shade * 30, b: 30 + shade * 30 }
    given.push([
      await save(`shade-${shade}.png`, sharp({ create: { width: 64, height: 64, channels: 3, background } }).png()),
      'reference',
    ])
  }
  const frames = await draw(given, [...Array(24).keys()], { aspectRatio: '1:1' })
  const shades = new Set(frames.planes.map((each) => Math.round(((each[100_000] ?? 0) - 16) * (255 / 219))))
  for (let shade = 0; shade < 7; shade++) {
    assert.ok(
      [...shades].some((value) => Math.abs(value - 30 - shade * 30) <= 2),
      `picture ${shade + 1} is not seen by itself`,
    )
  }
})

test('takes grey and CMYK, holes, turned photographs, and pictures of any size', async () => {
  const base = () => sharp(chart(400, 300).toBuffer('image/png'))
  const pictures: Readonly<Record<string, Sharp>> = {
    'grey.jpg': base().toColourspace('b-w').jpeg(),
    'cmyk.jpg': base().toColourspace('cmyk').jpeg(),
    'deep.png': base().toColourspace('rgb16').png(),
    'grey.png': base().toColourspace('b-w').png(),
    'grey-holes.png': base().toColourspace('b-w').ensureAlpha(0.5).png(),
    'picture.webp': base().webp(),
    'tiny.png': base().resize(64, 64).png(),
    'odd.png': base().resize(401, 299, { fit: 'fill' }).png(),
    'thin.png': base().resize(1_200, 9, { fit: 'fill' }).png(),
    'dot.png': base().resize(1, 1).png(),
    'large.jpg': base().resize(6_000, 3_000, { fit: 'fill' }).jpeg(),
  }
  for (const [name, picture] of Object.entries(pictures)) {
    const path = await save(name, picture)
    const frames = await draw([[path, 'firstFrame']], [0])
    assert.equal(Math.min(frames.width, frames.height), 480, name)
    const start = first(frames.planes)
    assert.ok(
      start.some((value) => value !== start[0]),
      `${name} is empty`,
    )
  }
})

test('turns a photograph as its camera was held', async () => {
  const upright = chart(300, 500)
  const straight = await save('upright.png', upright)
  const turned = await save(
    'turned.jpg',
    sharp(upright.toBuffer('image/png')).rotate(-90).withExif({}).jpeg({ quality: 100 }),
  )
  const tagged = await save('tagged.jpg', sharp(turned).withMetadata({ orientation: 6 }).jpeg({ quality: 100 }))
  const frames = await draw([[tagged, 'firstFrame']], [0])
  assert.deepEqual([frames.width, frames.height], [480, 800])
  const like = likeness(first(frames.planes), await lumaOf(straight, 480, 800), frames)
  assert.ok(like > 30, `${like} dB`)
})

test('sets off what is seen of a picture with holes', async () => {
  const drawn = async (colour: string) => {
    const canvas = createCanvas(480, 480)
    const context = canvas.getContext('2d')
    context.fillStyle = colour
    context.fillRect(160, 160, 160, 160)
    const frames = await draw([[await save('holes.png', canvas), 'firstFrame']], [0])
    const luma = first(frames.planes)
    return { inside: luma[240 * 480 + 240] ?? 0, outside: luma[20 * 480 + 20] ?? 0 }
  }
  const [light, dark] = [await drawn('#ffffff'), await drawn('#101010')]
  assert.ok(light.inside - light.outside > 100, JSON.stringify(light))
  assert.ok(dark.outside - dark.inside > 100, JSON.stringify(dark))
})

test('fails before the first frame when a picture cannot be read', async () => {
  const path = await save('fine.png', chart(64, 64))
  const made = await order([[path, 'firstFrame']])
  await writeFile(path, 'no picture')
  await assert.rejects(openStillFootage(made), /unsupported image format/u)
})
