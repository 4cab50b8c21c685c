import { BrokenMedia } from '../../media/broken-media.ts'
import { type ProbedVideo, probeVideo } from '../../media/probe.ts'
import { calledOf, FILE_TYPES } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import { MAX_VIDEO_PIXELS } from '../kind-limits.ts'
import type { DetectedType, ExaminedFile, ReceivedFile } from '../received-file.ts'
import { checkDuration } from './check-duration.ts'
import { checkSides } from './check-sides.ts'
import { examineAudio } from './examine-audio.ts'

/**
 * Looks into a video: whether all of its frames are there, how large and how long they are. Also into any
 * MP4 that says to be sound: its tracks decide what it is.
 * @throws FileRefused
 */
export async function examineVideo(file: ReceivedFile): Promise<ExaminedFile> {
  const called = calledOf(file.mimeType)
  const video = await probe(called, file)
  if (video === undefined) return examineAudio({ ...file, ...FILE_TYPES['audio/mp4'] })
  if (video.videoCodec === 'unknown') {
    throw new FileRefused('not_allowed', {
      found: `${called} in a codec that is not known here`,
      allowed: 'H.264, HEVC, VP8, VP9, AV1, ProRes',
    })
  }
  const { width, height } = video
  checkSides(called, { width, height }, { maxPixels: MAX_VIDEO_PIXELS, maxSide: MAX_VIDEO_PIXELS })
  const durationSeconds = checkDuration(called, video.durationSeconds)
  return { ...file, ...videoType(file), width, height, durationSeconds }
}

function videoType({ kind, mimeType, ending }: DetectedType): DetectedType {
  return kind === 'video' ? { kind, mimeType, ending } : FILE_TYPES['video/mp4']
}

/** `undefined` for an MP4 without a picture. */
async function probe(called: string, { path, mimeType }: ReceivedFile): Promise<ProbedVideo | undefined> {
  try {
    return await probeVideo(path)
  } catch (cause) {
    if (!(cause instanceof BrokenMedia)) throw cause
    if (cause.reason === 'no_picture' && mimeType.endsWith('/mp4')) return undefined
    throw refused(called, cause)
  }
}

function refused(called: string, cause: BrokenMedia): FileRefused {
  const found = {
    not_a_video: `not ${called}`,
    truncated: `${called} that is cut short`,
    unreadable: `${called} that is damaged and cannot be read`,
    no_picture: `${called} without a picture`,
    wrong_duration: `${called} of no length`,
    too_large: `${called} that is too large`,
  }[cause.reason]
  return new FileRefused('broken', { found, allowed: 'whole videos' }, { cause })
}
