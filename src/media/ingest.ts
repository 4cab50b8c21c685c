/**
 * From the file that a provider left to the media of a task: checked, marked as machine-made, stored with a poster, a
 * spritesheet and a signed manifest. It may run any number of times for one task and leaves the same files under the same ids; under the same keys, too, within one
 * lease. Another lease has a folder of its own, so that a worker that lost its lease changes nothing of what won.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BaseLogger } from 'pino'
import { frameSize, type GenerationRequest, outputSeconds } from '../canonical/generation.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import type { MediaKind } from '../canonical/task.ts'
import { BrokenMedia } from './broken-media.ts'
import { signManifest } from './manifest.ts'
import { markVideo } from './mark-video.ts'
import { mediaId } from './media-id.ts'
import { leaseFolder } from './media-keys.ts'
import { endingOf } from './media-types.ts'
import type { Posters } from './posters.ts'
import type { ProbedVideo } from './probe.ts'
import { probeInThread } from './probe-in-thread.ts'
import { reframeVideo } from './reframe/reframe-video.ts'
import type { SigningKey } from './signing-key.ts'
import type { Store, StoredFile } from './store.ts'
import type { VideoContainer } from './video-container.ts'
import type { SourceType } from './xmp.ts'

/**
 * How far a video's length may be from what was quoted. Encoders round to whole frames and models to whole chunks of
 * frames, by up to a third of a second; half a second is no longer the same product.
 */
const DURATION_TOLERANCE_SECONDS = 0.5

const MIME_TYPES = {
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
} as const satisfies Record<VideoContainer, string>

export interface Ingest {
  /** The provider's file. It is only read. */
  readonly path: string
  readonly taskId: TaskId
  /** Of the lease under which it is stored: its files lie apart from those of every other. */
  readonly fence: bigint
  readonly request: GenerationRequest
  /** The provider's id. */
  readonly provider: string
  readonly sourceType: SourceType
  /** Pixels of which the sides of the provider's frames are multiples; absent where it makes every size itself. */
  readonly sizeStep?: number | undefined
  readonly store: Store
  readonly signingKey: SigningKey
  readonly posters: Posters
  readonly log: Pick<BaseLogger, 'warn'>
  /** Seconds after which retention deletes the files. */
  readonly keepSeconds: number
  /** An existing folder for the marked copy, with room for it; emptied after a crash. */
  readonly scratch: string
  /** For tests, which cannot wait for as long as a large video may take. */
  readonly probeTimeoutMs?: number
}

/** One file as the SQL function `settle_task` takes it in `in_media`. */
export interface MediaRecord {
  /** A dashed UUID. */
  readonly id: string
  readonly kind: MediaKind
  readonly store_key: string
  readonly mime_type: string
  readonly size_bytes: number
  /** Hex. */
  readonly sha256: string
  readonly width: number | null
  readonly height: number | null
  readonly duration_seconds: number | null
  readonly keep_seconds: number
}

/** Stores a task's video and what goes with it. Throws `BrokenMedia` when the file is not the video that was ordered. */
export async function ingestVideo(ingest: Ingest): Promise<MediaRecord[]> {
  const found = await probe(ingest, ingest.path)
  checkDuration(found, ingest)
  const folder = await mkdtemp(join(ingest.scratch, 'ingest-'))
  try {
    const { path, container } = await inAskedSize(ingest, { found, folder })
    const markedPath = join(folder, `video.${container}`)
    const { request, provider, sourceType, taskId } = ingest
    const provenance = { sourceType, model: request.model, provider, taskId }
    await markVideo({ path, container, targetPath: markedPath, provenance })
    const video = await storeVideo(ingest, markedPath)
    const source = { videoPath: markedPath, folder, durationSeconds: found.durationSeconds }
    const poster = await storePicture(ingest, { ...source, kind: 'poster' })
    const spritesheet = await storePicture(ingest, { ...source, kind: 'spritesheet' })
    const manifest = await storeManifest(ingest, { video, folder })
    return [video, poster, spritesheet, manifest].filter((record) => record !== undefined)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function probe({ probeTimeoutMs }: Ingest, path: string): Promise<ProbedVideo> {
  return probeInThread(path, { timeoutMs: probeTimeoutMs })
}

function checkDuration(found: ProbedVideo, { request }: Ingest): void {
  const durationSeconds = outputSeconds(request)
  if (Math.abs(found.durationSeconds - durationSeconds) > DURATION_TOLERANCE_SECONDS) {
    const seconds = found.durationSeconds.toFixed(2)
    throw new BrokenMedia('wrong_duration', `The video is ${seconds} s long; ${durationSeconds} s were asked for.`)
  }
}

/** Steps of its maker's grid by which a side may be off for that grid's sake. Some engines' steps are twice those that are usual. */
const STEPS_OFF = 2

/**
 * The video in the size that was asked for. One whose maker's frames come in steps is brought to that size; any other size
 * is its maker's will, and no reason to throw a paid video away. Nor is it when that fails: then the video stays as it is.
 */
async function inAskedSize(
  ingest: Ingest,
  { found, folder }: { readonly found: ProbedVideo; readonly folder: string },
): Promise<{ readonly path: string; readonly container: VideoContainer }> {
  const { path, request, taskId, sizeStep = 0, log } = ingest
  const asked = frameSize(request)
  const { width, height, container } = found
  const offBy = Math.max(Math.abs(width - asked.width), Math.abs(height - asked.height))
  if (offBy === 0) return { path, container }
  const about = { taskId, asked, found: { width, height } }
  if (offBy >= STEPS_OFF * sizeStep) {
    log.warn(about, 'the video has another size than was asked for')
    return { path, container }
  }
  const targetPath = join(folder, 'reframed.mp4')
  try {
    await reframeVideo({ path, targetPath, ...asked })
    return { path: targetPath, container: 'mp4' }
  } catch (error) {
    log.warn(
      { ...about, err: error },
      'the video could not be brought to the size that was asked for: it stays as it is',
    )
    return { path, container }
  }
}

/** Probes the marked copy as well: what is called whole is what is stored, not what it was made from. */
async function storeVideo(ingest: Ingest, path: string): Promise<MediaRecord> {
  const { container, width, height, durationSeconds } = await probe(ingest, path)
  const mimeType = MIME_TYPES[container]
  const key = keyOf(ingest, `video.${endingOf(mimeType)}`)
  const stored = await ingest.store.put(key, path)
  return recordOf(ingest, { kind: 'video', key, mimeType, stored, width, height, durationSeconds })
}

interface PictureSource {
  readonly kind: 'poster' | 'spritesheet'
  readonly videoPath: string
  readonly folder: string
  readonly durationSeconds: number
}

/** A picture is a convenience: without one a paid video is still whole. */
async function storePicture(ingest: Ingest, source: PictureSource): Promise<MediaRecord | undefined> {
  const { kind, videoPath, folder, durationSeconds } = source
  const picturePath = join(folder, `${kind}.jpg`)
  const key = keyOf(ingest, `${kind}.jpg`)
  try {
    const { width, height } = await ingest.posters.make({ kind, videoPath, picturePath, durationSeconds })
    const stored = await ingest.store.put(key, picturePath)
    return recordOf(ingest, { kind, key, mimeType: 'image/jpeg', stored, width, height })
  } catch (error) {
    ingest.log.warn({ taskId: ingest.taskId, err: error }, `the video goes without a ${kind}`)
    // An earlier run may have stored one, which no row would name.
    await ingest.store.delete(key)
    return undefined
  }
}

async function storeManifest(ingest: Ingest, made: { video: MediaRecord; folder: string }): Promise<MediaRecord> {
  const { video, folder } = made
  const manifest = signManifest(
    {
      version: 1,
      task_id: ingest.taskId,
      media_sha256: video.sha256,
      media_size_bytes: video.size_bytes,
      media_type: video.mime_type,
      model: ingest.request.model,
      provider: ingest.provider,
      digital_source_type: ingest.sourceType,
      prompt_sha256: createHash('sha256').update(ingest.request.prompt, 'utf8').digest('hex'),
      created_at: creationTimeOf(ingest.taskId).toISOString(),
    },
    ingest.signingKey,
  )
  const path = join(folder, 'manifest.json')
  await writeFile(path, `${JSON.stringify(manifest, undefined, 2)}\n`)
  const key = keyOf(ingest, 'manifest.json')
  const stored = await ingest.store.put(key, path)
  return recordOf(ingest, { kind: 'manifest', key, mimeType: 'application/json', stored })
}

/** The first 48 bits of a UUIDv7 are Unix milliseconds. */
function creationTimeOf(taskId: TaskId): Date {
  return new Date(Number.parseInt(uuidOf(taskId).replaceAll('-', '').slice(0, 12), 16))
}

function keyOf({ taskId, fence }: Ingest, fileName: string): string {
  return `${leaseFolder(taskId, fence)}/${fileName}`
}

interface FileRecord {
  readonly kind: MediaKind
  readonly key: string
  readonly mimeType: string
  readonly stored: StoredFile
  readonly width?: number
  readonly height?: number
  readonly durationSeconds?: number
}

function recordOf({ taskId, keepSeconds }: Ingest, file: FileRecord): MediaRecord {
  return {
    id: uuidOf(mediaId(taskId, file.kind)),
    kind: file.kind,
    store_key: file.key,
    mime_type: file.mimeType,
    size_bytes: file.stored.sizeBytes,
    sha256: file.stored.sha256.toString('hex'),
    width: file.width ?? null,
    height: file.height ?? null,
    duration_seconds: file.durationSeconds ?? null,
    keep_seconds: keepSeconds,
  }
}
