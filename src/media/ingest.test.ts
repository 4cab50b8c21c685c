import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { endlessWebm } from '../../test/support/endless-webm.ts'
import { writeTestVideo } from '../../test/support/test-video.ts'
import type { GenerationRequest } from '../canonical/generation.ts'
import { newId, uuidOf } from '../canonical/ids.ts'
import { BrokenMedia } from './broken-media.ts'
import { discardIngested } from './discard-ingested.ts'
import { DiskStore } from './disk-store.ts'
import { type Ingest, ingestVideo, type MediaRecord } from './ingest.ts'
import { verifyManifest } from './manifest.ts'
import { Posters } from './posters.ts'
import { probeVideo } from './probe.ts'
import { signingKey } from './signing-key.ts'
import { stripTags } from './tags/strip-tags.ts'
import type { VideoContainer } from './video-container.ts'

const request: GenerationRequest = {
  model: 'test-model',
  operation: 'generate',
  references: [],
  prompt: 'a <secret> prompt',
  durationSeconds: 2,
  resolution: '480p',
  aspectRatio: '16:9',
  mode: 'normal',
  seed: 7,
}
const key = signingKey(randomBytes(32))
const posters = new Posters()
const warnings: string[] = []
let folder: string
let scratch: string
let store: DiskStore
let video: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-ingest-'))
  scratch = join(folder, 'scratch')
  await mkdir(scratch)
  store = await DiskStore.open(join(folder, 'store'))
  video = await writeTestVideo({ path: join(folder, 'made.mp4'), width: 854, height: 480, sound: 'silence' })
})
after(async () => {
  await posters[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function ingestOf(change: Partial<Ingest>): Ingest {
  const log = { warn: (_fields: unknown, message?: string) => void warnings.push(message ?? '') }
  const fixed = { provider: 'animatic', sourceType: 'algorithmicMedia', keepSeconds: 3600 } as const
  const given = {
    path: video,
    taskId: newId('task'),
    fence: 7n,
    request,
    store,
    signingKey: key,
    posters,
    log,
    scratch,
  }
  return { ...given, ...fixed, ...change }
}

function find(records: MediaRecord[], kind: MediaRecord['kind']): MediaRecord {
  const found = records.find((record) => record.kind === kind)
  assert.ok(found, `no ${kind}`)
  return found
}

const contentOf = async (record: MediaRecord): Promise<Buffer> => buffer(await store.open(record.store_key))

describe('ingestVideo', () => {
  it('stores video, poster, spritesheet and manifest, and describes them as the settlement takes them', async () => {
    const ingest = ingestOf({})
    const records = await ingestVideo(ingest)
    const uuid = uuidOf(ingest.taskId)
    const place = `${uuid.slice(-12, -10)}/${uuid}/7`
    assert.deepEqual(
      records.map(({ kind, store_key, mime_type }) => [kind, store_key, mime_type]),
      [
        ['video', `${place}/video.mp4`, 'video/mp4'],
        ['poster', `${place}/poster.jpg`, 'image/jpeg'],
        ['spritesheet', `${place}/spritesheet.jpg`, 'image/jpeg'],
        ['manifest', `${place}/manifest.json`, 'application/json'],
      ],
    )
    for (const record of records) {
      const content = await contentOf(record)
      assert.equal(record.size_bytes, content.length)
      assert.equal(record.sha256, createHash('sha256').update(content).digest('hex'))
      assert.equal(record.keep_seconds, 3600)
    }
    const { width, height, duration_seconds } = find(records, 'video')
    assert.deepEqual({ width, height, duration_seconds }, { width: 854, height: 480, duration_seconds: 2 })
    for (const kind of ['poster', 'spritesheet'] as const) {
      assert.deepEqual((await contentOf(find(records, kind))).subarray(0, 3), Buffer.from([0xff, 0xd8, 0xff]))
    }
    const sheet = find(records, 'spritesheet')
    assert.deepEqual([sheet.width, sheet.height], [5 * 320, 2 * 180])
    assert.deepEqual(await readdir(scratch), [])
  })

  it('keeps the bytes of the provider in front but for its tags, and appends only the mark', async () => {
    const original = await withoutTags(video, 'mp4')
    const stored = await contentOf(find(await ingestVideo(ingestOf({})), 'video'))
    assert.ok(stored.subarray(0, original.length).equals(original))
    const mark = stored.subarray(original.length)
    assert.equal(mark.readUInt32BE(0), mark.length)
    assert.match(mark.toString(), /digitalsourcetype\/algorithmicMedia</)
  })

  it('gives the same keys, ids and bytes when it runs twice', async () => {
    const ingest = ingestOf({})
    assert.deepEqual(await ingestVideo(ingest), await ingestVideo(ingest))
  })

  it('signs a manifest that names the stored bytes and hides the prompt', async () => {
    const ingest = ingestOf({})
    const records = await ingestVideo(ingest)
    const text = (await contentOf(find(records, 'manifest'))).toString()
    const verdict = verifyManifest(JSON.parse(text), key.publicKey, find(records, 'video').sha256)
    assert.equal(verdict.kind, 'genuine')
    assert.equal(verdict.manifest.task_id, ingest.taskId)
    assert.ok(!text.includes('secret'))
  })

  it('refuses a truncated video, though the mark would have filled the gap', async () => {
    const path = join(folder, 'truncated.mp4')
    const bytes = await readFile(video)
    // Without a length of its own the box of the frames ends wherever the file does, mark included.
    bytes.writeUInt32BE(0, bytes.indexOf('mdat', 0, 'latin1') - 4)
    await writeFile(path, bytes.subarray(0, -100))
    const ingest = ingestOf({ path })
    await assert.rejects(ingestVideo(ingest), (error) => error instanceof BrokenMedia && error.reason === 'truncated')
    assert.deepEqual(await readdir(scratch), [])
  })

  it('refuses a damaged video that catches the demuxer in a loop, and stores others meanwhile', async () => {
    const path = join(folder, 'endless.webm')
    await writeFile(path, await endlessWebm())
    const caught = ingestVideo(ingestOf({ path, probeTimeoutMs: 3_000 }))
    const refused = assert.rejects(caught, (error) => error instanceof BrokenMedia && error.reason === 'unreadable')
    assert.equal((await ingestVideo(ingestOf({}))).length, 4)
    await refused
    assert.deepEqual(await readdir(scratch), [])
  })

  it('refuses a video of another length than was quoted', async () => {
    const ingest = ingestOf({ request: { ...request, durationSeconds: 3 } })
    await assert.rejects(ingestVideo(ingest), /2\.00 s long; 3 s were asked for/)
  })

  it('only notes another picture size', async () => {
    warnings.length = 0
    const records = await ingestVideo(ingestOf({ request: { ...request, aspectRatio: '1:1' } }))
    assert.equal(records.length, 4)
    assert.match(warnings.join(), /another size/)
  })

  it('goes without pictures when none can be made, and removes earlier ones', async () => {
    const ingest = ingestOf({})
    const earlier = await ingestVideo(ingest)
    warnings.length = 0
    await using broken = new Posters({ child: join(folder, 'absent.ts') })
    const records = await ingestVideo({ ...ingest, posters: broken })
    assert.deepEqual(
      records.map((record) => record.kind),
      ['video', 'manifest'],
    )
    assert.match(warnings.join(), /without a poster/)
    assert.match(warnings.join(), /without a spritesheet/)
    for (const kind of ['poster', 'spritesheet'] as const) {
      assert.equal(await store.stat(find(earlier, kind).store_key), undefined)
    }
  })

  it('stores a WebM as it is but for its tags, under its own name and type', async () => {
    const path = await writeTestVideo({ path: join(folder, 'made.webm'), format: 'webm' })
    const record = find(await ingestVideo(ingestOf({ path })), 'video')
    assert.equal(record.mime_type, 'video/webm')
    assert.match(record.store_key, /\/video\.webm$/)
    assert.ok((await contentOf(record)).equals(await withoutTags(path, 'webm')))
  })

  it('leaves a file that ffprobe reads to its end without complaint', { skip: noFfprobe() }, async () => {
    const record = find(await ingestVideo(ingestOf({})), 'video')
    const path = join(folder, 'store', record.store_key)
    const shown = spawnSync('ffprobe', ['-v', 'warning', '-count_frames', '-show_streams', '-of', 'json', path])
    assert.equal(shown.stderr.toString(), '')
    assert.match(shown.stdout.toString(), /"nb_read_frames": "20"/)
  })

  it('brings a video whose maker works in steps of pixels to the size that was asked for, with its sound', async () => {
    for (const [width, height] of [
      [864, 480],
      [848, 480],
    ] as const) {
      const path = join(folder, `${width}.mp4`)
      await writeTestVideo({ path, width, height, sound: 'silence' })
      const record = find(await ingestVideo(ingestOf({ path, sizeStep: 16 })), 'video')
      assert.deepEqual([record.width, record.height, record.mime_type], [854, 480, 'video/mp4'])
      const stored = await probeVideo(join(folder, 'store', record.store_key))
      assert.deepEqual([stored.frameCount, stored.durationSeconds, stored.audioCodec], [20, 2, 'aac'])
      assert.equal(stored.faststart, true)
    }
    assert.deepEqual(await readdir(scratch), [])
  })

  it('leaves a video as it is whose size is its maker’s will', async () => {
    const path = await writeTestVideo({ path: join(folder, 'other.mp4'), width: 864, height: 480 })
    const record = find(await ingestVideo(ingestOf({ path })), 'video')
    assert.deepEqual([record.width, record.height], [864, 480])
    const far = await writeTestVideo({ path: join(folder, 'far.mp4'), width: 480, height: 270 })
    const small = find(await ingestVideo(ingestOf({ path: far, sizeStep: 16 })), 'video')
    assert.deepEqual([small.width, small.height], [480, 270])
  })

  it('is undone by discardIngested, twice if need be', async () => {
    const ingest = ingestOf({})
    const records = await ingestVideo(ingest)
    await discardIngested(store, ingest.taskId)
    await discardIngested(store, ingest.taskId)
    for (const record of records) assert.equal(await store.stat(record.store_key), undefined)
  })
})

async function withoutTags(path: string, container: VideoContainer): Promise<Buffer> {
  const copy = `${path}-without-tags`
  await copyFile(path, copy)
  await stripTags(copy, container)
  return await readFile(copy)
}

function noFfprobe(): string | false {
  return spawnSync('ffprobe', ['-version']).error === undefined ? false : 'there is no ffprobe'
}
