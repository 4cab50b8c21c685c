import assert from 'node:assert/strict'
import { copyFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  ALL_FORMATS,
  Conversion,
  EncodedPacketSink,
  FilePathSource,
  FilePathTarget,
  Input,
  Mp4OutputFormat,
  Output,
  WebMOutputFormat,
} from 'mediabunny'
import { type TestVideo, writeTestVideo } from '../../../test/support/test-video.ts'
import { topLevelBoxes } from '../boxes.ts'
import { drawPoster } from '../draw-poster.ts'
import { probeVideo } from '../probe.ts'
import type { VideoContainer } from '../video-container.ts'
import { xmpBox } from '../xmp.ts'
import { stripTags } from './strip-tags.ts'

/** What nobody outside may read, as a ComfyUI writes it. */
const SECRET = '{"6":{"class_type":"CLIPTextEncode","inputs":{"text":"/home/operator/models/secret.safetensors"}}}'

const XMP_UUID = 'be7acfcb97a942e89c71999491e3afac'
const C2PA_UUID = 'd8fec3d61b0e483c92975828877ec481'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-tags-'))
})
after(() => rm(folder, { recursive: true }))

function box(type: string, ...content: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  const header = Buffer.alloc(8)
  header.writeUInt32BE(8 + bytes.length)
  header.write(type, 4, 'latin1')
  return Buffer.concat([header, bytes])
}

/** A file with more boxes at the end of every box of a type, which must come after all samples. */
function withBoxesIn(bytes: Buffer, type: string, ...more: readonly Buffer[]): Buffer {
  const added = Buffer.concat(more)
  const walk = (content: Buffer): Buffer => {
    const parts: Buffer[] = []
    for (let at = 0; at + 8 <= content.length; ) {
      const length = content.readUInt32BE(at)
      const name = content.toString('latin1', at + 4, at + 8)
      const inner = content.subarray(at + 8, at + length)
      const isParent = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf'].includes(name)
      parts.push(box(name, isParent ? walk(inner) : inner, name === type ? added : ''))
      at += length
    }
    return Buffer.concat(parts)
  }
  return walk(bytes)
}

async function made(over: Partial<TestVideo>): Promise<string> {
  const { format = 'mp4' } = over
  const path = join(folder, `${format}-${over.sound ?? 'none'}`)
  return await writeTestVideo({ path, durationSeconds: 1, ...over })
}

/** The same video with the secret in its tags, as programs write them. */
async function tagged(path: string, format: Mp4OutputFormat | WebMOutputFormat): Promise<string> {
  const target = `${path}-tagged`
  using input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS })
  const output = new Output({ format, target: new FilePathTarget(target) })
  const raw =
    format instanceof WebMOutputFormat ? { PROMPT: SECRET, WORKFLOW: SECRET } : { prompt: SECRET, '©wrt': SECRET }
  const tags = { title: SECRET, comment: SECRET, artist: SECRET, raw }
  const conversion = await Conversion.init({ input, output, tags, showWarnings: false })
  await conversion.execute()
  return target
}

/** Every frame and every block of sound, as it is coded. */
async function samplesOf(path: string): Promise<Buffer[]> {
  using input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS })
  const samples: Buffer[] = []
  for (const track of [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()]) {
    if (track === null) continue
    for await (const { data } of new EncodedPacketSink(track).packets()) samples.push(Buffer.from(data))
  }
  return samples
}

/** Strips a copy and holds it against what it was. */
async function stripped(path: string, container: VideoContainer): Promise<Buffer> {
  const target = `${path}-stripped`
  await copyFile(path, target)
  await stripTags(target, container)
  const [before, after] = [await probeVideo(path), await probeVideo(target)]
  assert.deepEqual({ ...after, sizeBytes: 0 }, { ...before, sizeBytes: 0 })
  const [samples, kept] = [await samplesOf(path), await samplesOf(target)]
  assert.ok(samples.length > 0 && samples.length === kept.length)
  for (const [index, sample] of samples.entries()) assert.ok(kept[index]?.equals(sample), `sample ${index} is another`)
  // FFmpeg, which reads the container by a demuxer of its own, decodes it.
  await drawPoster({ kind: 'poster', videoPath: target, picturePath: `${target}.jpg`, durationSeconds: 1 })
  return await readFile(target)
}

function tellsNothing(bytes: Buffer): void {
  for (const word of ['class_type', 'secret.safetensors', '/home/operator']) {
    assert.ok(!bytes.includes(word), `${word} is still there`)
    assert.ok(!bytes.includes(Buffer.from(word, 'utf16le')), `${word} is still there in UTF-16`)
  }
}

describe('a video', () => {
  for (const [name, format, output] of [
    ['faststart MP4', 'mp4', () => new Mp4OutputFormat({ fastStart: 'in-memory' })],
    ['MP4 with its index behind', 'mp4-index-last', () => new Mp4OutputFormat({ fastStart: false })],
    ['fragmented MP4', 'mp4', () => new Mp4OutputFormat({ fastStart: 'fragmented' })],
    ['WebM', 'webm', () => new WebMOutputFormat()],
    ['WebM of a live stream', 'webm', () => new WebMOutputFormat({ appendOnly: true })],
  ] as const) {
    test(`loses its tags as ${name}, and no byte of its samples`, async () => {
      const sound = format === 'webm' ? 'none' : 'silence'
      const path = await tagged(await made({ format, sound }), output())
      assert.ok((await readFile(path)).includes('class_type'), 'the tags were not written')
      tellsNothing(await stripped(path, format === 'webm' ? 'webm' : 'mp4'))
    })
  }

  test('loses every box that players do not read, wherever it stands', async () => {
    const plain = await readFile(await made({ format: 'mp4-index-last', sound: 'silence' }))
    const handler = box('hdlr', Buffer.alloc(8), 'mdta', Buffer.alloc(12), SECRET)
    const hiding = [
      ...['uuid', 'free', 'skip', 'Xtra', 'text', 'name', 'comf'].map((type) => box(type, SECRET)),
      box('udta', box('prmt', SECRET)),
      box('meta', Buffer.alloc(4), handler),
    ]
    const xmp = box('uuid', Buffer.from(XMP_UUID, 'hex'), SECRET)
    const top = [...hiding, box('emsg', SECRET), box('jumb', SECRET), xmp]
    let bytes: Buffer = plain
    for (const type of ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf']) bytes = withBoxesIn(bytes, type, ...hiding)
    const path = join(folder, 'everywhere.mp4')
    await writeFile(path, Buffer.concat([bytes, ...top]))
    tellsNothing(await stripped(path, 'mp4'))
  })

  test('loses the names of its tracks and of its encoder', async () => {
    const bytes = await readFile(await made({ format: 'mp4', sound: 'silence' }))
    const handler = bytes.indexOf('VideoHandler')
    bytes.write('class_type', handler)
    const encoder = bytes.indexOf('avc1', bytes.indexOf('stsd')) + 4 + 42
    bytes.write('class_type', encoder)
    const path = join(folder, 'names.mp4')
    await writeFile(path, bytes)
    const left = await stripped(path, 'mp4')
    tellsNothing(left)
    assert.ok(!left.includes('Handler'))
  })

  test('loses a track of text, with what the text says', async () => {
    const spoken = await made({ format: 'mp4-index-last', sound: 'silence' })
    const video = (await samplesOf(spoken)).slice(0, 10)
    const bytes = await readFile(spoken)
    // Sound that calls itself text: its samples are then words.
    const sound = bytes.lastIndexOf('soun')
    bytes.write('text', sound, 'latin1')
    const path = join(folder, 'text.mp4')
    await writeFile(path, bytes)
    const target = `${path}-stripped`
    await copyFile(path, target)
    await stripTags(target, 'mp4')
    assert.equal((await probeVideo(target)).audioCodec, undefined)
    assert.equal((await probeVideo(target)).frameCount, 10)
    assert.deepEqual(await samplesOf(target), video)
    assert.ok((await readFile(target)).filter((byte) => byte === 0).length > bytes.filter((byte) => byte === 0).length)
  })

  test('keeps what its maker says of its provenance, and of that nothing else', async () => {
    const manifest = box('uuid', Buffer.from(C2PA_UUID, 'hex'), Buffer.alloc(4), 'manifest\0', 'c2pa.actions')
    const jumbf = box('jumb', box('jumd', 'c2pa'), 'assertions')
    const mark = xmpBox({ sourceType: 'trainedAlgorithmicMedia', model: 'wan', provider: 'gpu', taskId: 'task_1' })
    const disguised = Buffer.from(mark.toString('latin1').replace('</x:xmpmeta>', `<!--${SECRET}-->`), 'latin1')
    disguised.writeUInt32BE(disguised.length)
    const statement = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia'
    const xmp = box(
      'uuid',
      Buffer.from(XMP_UUID, 'hex'),
      `<x:xmpmeta>${SECRET}${statement}<b/>${SECRET.repeat(9)}</x:xmpmeta>`,
    )
    const path = join(folder, 'provenance.mp4')
    await writeFile(path, Buffer.concat([await readFile(await made({})), manifest, mark, disguised, jumbf, xmp]))
    const left = await stripped(path, 'mp4')
    tellsNothing(left)
    for (const kept of [manifest, mark, jumbf, Buffer.from(statement)]) assert.ok(left.includes(kept))
    const file = await open(`${path}-stripped`)
    const types = (await topLevelBoxes(file, (await file.stat()).size)).map(({ type }) => type)
    await file.close()
    assert.deepEqual(types.slice(-5), ['uuid', 'uuid', 'uuid', 'jumb', 'uuid'])
  })

  test('loses what stands behind a WebM', async () => {
    const path = join(folder, 'behind.webm')
    await writeFile(path, Buffer.concat([await readFile(await made({ format: 'webm' })), Buffer.from(SECRET)]))
    tellsNothing(await stripped(path, 'webm'))
  })

  test('is the same when it is stripped again', async () => {
    for (const [format, container] of [
      ['mp4', 'mp4'],
      ['mov', 'mov'],
      ['mp4-fragments', 'mp4'],
      ['webm', 'webm'],
    ] as const) {
      const path = await made({ format, sound: format === 'webm' ? 'none' : 'silence' })
      const once = await stripped(path, container)
      await stripTags(`${path}-stripped`, container)
      assert.ok((await readFile(`${path}-stripped`)).equals(once), format)
    }
  })
})
