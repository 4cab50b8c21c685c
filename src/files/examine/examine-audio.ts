import { readFile } from 'node:fs/promises'
import { FilePathSource, Input, type InputFormat, MP4, OGG, WAVE } from 'mediabunny'
import { calledOf, FILE_TYPES } from '../detect/file-types.ts'
import { readAdtsFrame, readMp3Frame, skipId3, walkMpegFrames } from '../detect/mpeg-frames.ts'
import { FileRefused } from '../file-refused.ts'
import { KIND_LIMITS } from '../kind-limits.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { tooLarge } from '../too-large.ts'
import { checkDuration } from './check-duration.ts'

/**
 * Looks into a file of sound: how long it plays, counted from its packets.
 * @throws FileRefused
 */
export async function examineAudio(file: ReceivedFile): Promise<ExaminedFile> {
  // It may have come as a video, of which larger ones are taken.
  if (file.sizeBytes > KIND_LIMITS.audio.maxBytes) throw tooLarge('audio')
  const { seconds, mimeType } = await measure(file)
  const durationSeconds = checkDuration(calledOf(mimeType), seconds)
  return { ...file, ...FILE_TYPES[mimeType], width: undefined, height: undefined, durationSeconds }
}

interface Measured {
  readonly seconds: number
  readonly mimeType: 'audio/mpeg' | 'audio/mp4' | 'audio/wav' | 'audio/aac' | 'audio/ogg'
}

async function measure({ path, mimeType }: ReceivedFile): Promise<Measured> {
  if (mimeType === 'audio/mp4') return { seconds: await measureTrack('MP4 sound', path, MP4), mimeType }
  if (mimeType === 'audio/wav') return { seconds: await measureTrack('WAV sound', path, WAVE), mimeType }
  if (mimeType === 'audio/ogg') return { seconds: await measureTrack('Ogg sound', path, OGG), mimeType }
  return measureFrames(await readFile(path))
}

/** Behind a cover of any length stands either MP3 or AAC; only now is it known which. */
function measureFrames(bytes: Buffer): Measured {
  const isAac = readAdtsFrame(bytes, skipId3(bytes)) !== undefined
  const mimeType = isAac ? 'audio/aac' : 'audio/mpeg'
  const { frames, seconds } = walkMpegFrames(bytes, isAac ? readAdtsFrame : readMp3Frame)
  if (frames === 0) throw broken(`${calledOf(mimeType)} without any`)
  return { seconds, mimeType }
}

async function measureTrack(called: string, path: string, format: InputFormat): Promise<number> {
  using input = new Input({ source: new FilePathSource(path), formats: [format] })
  try {
    const track = await input.getPrimaryAudioTrack()
    if (track !== null && (await track.getCodec()) !== null) return await track.computeDuration({ metadataOnly: true })
  } catch (cause) {
    throw broken(`${called} that is damaged and cannot be read`, cause)
  }
  throw broken(`${called} without any in a codec that is known here`)
}

function broken(found: string, cause?: unknown): FileRefused {
  return new FileRefused('broken', { found, allowed: 'whole files that play' }, { cause })
}
