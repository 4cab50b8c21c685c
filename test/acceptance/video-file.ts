import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'

export interface VideoFile {
  readonly width: number
  readonly height: number
  readonly videoCodec: string | null
  readonly audioCodec: string | null
  readonly frames: number
  readonly framesPerSecond: number
  readonly durationSeconds: number
  readonly audioSeconds: number
  /** Types of the boxes at the top of the file, in order. */
  readonly boxes: readonly string[]
}

/** Reads an MP4 with a demuxer that Reelay did not write, and its boxes by hand. */
export async function readVideoFile(bytes: Uint8Array<ArrayBuffer>): Promise<VideoFile> {
  using input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS })
  const video = await input.getPrimaryVideoTrack()
  const audio = await input.getPrimaryAudioTrack()
  if (video === null || audio === null) throw new Error('the file lacks picture or sound')
  let frames = 0
  for await (const _ of new EncodedPacketSink(video).packets()) frames++
  const durationSeconds = await video.computeDuration()
  return {
    width: video.displayWidth,
    height: video.displayHeight,
    videoCodec: video.codec,
    audioCodec: audio.codec,
    frames,
    framesPerSecond: frames / durationSeconds,
    durationSeconds,
    audioSeconds: await audio.computeDuration(),
    boxes: topLevelBoxes(Buffer.from(bytes)),
  }
}

function topLevelBoxes(bytes: Buffer): string[] {
  const boxes: string[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    boxes.push(bytes.toString('latin1', at + 4, at + 8))
    at += size === 1 ? Number(bytes.readBigUInt64BE(at + 8)) : size === 0 ? bytes.length : size
  }
  return boxes
}

/** Downloads a file, without a key, as a browser would. */
export async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`HTTP ${answer.status} for ${url}`)
  const bytes = new Uint8Array(await answer.arrayBuffer())
  return bytes
}
