/**
 * What a video file really is, before anyone is told that it succeeded. The magic bytes come first, then the place of
 * every sample against the size of the file (a truncated MP4 reports its full length), then the demuxer.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { FilePathSource, Input, MP4, QTFF, WEBM } from 'mediabunny'
import { type Box, topLevelBoxes } from './boxes.ts'
import { BrokenMedia } from './broken-media.ts'
import { furthestSampleEnd } from './sample-tables.ts'
import { HEAD_BYTES, sniffContainer, type VideoContainer } from './video-container.ts'
import { webmSegmentEnd } from './webm-segment-end.ts'

export interface ProbedVideo {
  readonly container: VideoContainer
  readonly sizeBytes: number
  /** Of the picture, from its frames and not from the header. */
  readonly durationSeconds: number
  /** Pixels as displayed: after rotation and pixel aspect. */
  readonly width: number
  readonly height: number
  /** `avc`, `hevc`, `vp8`, `vp9`, `av1`, …, or `unknown`. */
  readonly videoCodec: string
  readonly audioCodec: string | undefined
  readonly frameCount: number
  /** Whether it plays before it has arrived in full: the index stands in front. Always true of WebM. */
  readonly faststart: boolean
}

/** A sample table has some 20 bytes for each frame: 64 MiB index days of video. Longer is no index of a clip. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

/** The demuxer's cache; a probe must not hold a large file in memory. */
const DEMUXER_CACHE_BYTES = 4 * 1024 * 1024

const FORMATS = { mp4: MP4, mov: QTFF, webm: WEBM } as const

/** Probes a video. Throws `BrokenMedia`, with what was found, for anything that is not a whole, watchable one. */
export async function probeVideo(path: string): Promise<ProbedVideo> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const head = await readAt(file, 0, Math.min(HEAD_BYTES, size))
    const sniffed = sniffContainer(head)
    if (sniffed.kind === 'other') throw new BrokenMedia('not_a_video', `The file is ${sniffed.found}, not a video.`)
    const { container } = sniffed
    const faststart = container === 'webm' ? checkWebm(head, size) : await checkBoxes(file, size)
    return { container, sizeBytes: size, faststart, ...(await demux(path, container)) }
  } finally {
    await file.close()
  }
}

function checkWebm(head: Buffer, size: number): true {
  const end = webmSegmentEnd(head)
  if (end === undefined || end <= size) return true
  throw new BrokenMedia('truncated', `The file is cut short: it has ${size} bytes of ${end}.`)
}

/** Throws unless all samples are there; tells whether the index stands in front of them. */
async function checkBoxes(file: FileHandle, size: number): Promise<boolean> {
  const boxes = await topLevelBoxes(file, size)
  const moov = boxes.find((box) => box.type === 'moov')
  if (moov === undefined) throw new BrokenMedia('truncated', 'The file is cut short: it has no index (moov box).')
  const end = furthestSampleEnd(await readIndex(file, moov))
  if (end > size) {
    throw new BrokenMedia(
      'truncated',
      `The file is cut short: its last frame ends at byte ${end}, the file at ${size}.`,
    )
  }
  const mdat = boxes.find((box) => box.type === 'mdat')
  return mdat !== undefined && moov.start < mdat.start
}

async function readIndex(file: FileHandle, moov: Box): Promise<Buffer> {
  const length = moov.end - moov.start - moov.headerBytes
  if (length > MAX_INDEX_BYTES) throw new BrokenMedia('unreadable', `The file has an index of ${length} bytes.`)
  return readAt(file, moov.start + moov.headerBytes, length)
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

type Demuxed = Omit<ProbedVideo, 'container' | 'sizeBytes' | 'faststart'>

async function demux(path: string, container: VideoContainer): Promise<Demuxed> {
  using input = new Input({
    source: new FilePathSource(path, { maxCacheSize: DEMUXER_CACHE_BYTES }),
    formats: [FORMATS[container]],
  })
  try {
    return await readTracks(input)
  } catch (cause) {
    if (cause instanceof BrokenMedia) throw cause
    throw new BrokenMedia('unreadable', 'The file is damaged: its index cannot be read.', { cause })
  }
}

async function readTracks(input: Input): Promise<Demuxed> {
  const video = await input.getPrimaryVideoTrack()
  if (video === null) throw new BrokenMedia('no_picture', 'The file has no video track.')
  const { packetCount } = await video.computePacketStats(undefined, { metadataOnly: true })
  if (packetCount === 0) throw new BrokenMedia('no_picture', 'The video track has no frames.')
  const audio = await input.getPrimaryAudioTrack()
  return {
    durationSeconds: await video.computeDuration({ metadataOnly: true }),
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    videoCodec: (await video.getCodec()) ?? 'unknown',
    audioCodec: audio === null ? undefined : ((await audio.getCodec()) ?? 'unknown'),
    frameCount: packetCount,
  }
}
