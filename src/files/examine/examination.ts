import '../../isolation/silence-demuxers.ts'
import { FileRefused } from '../file-refused.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { examineAudio } from './examine-audio.ts'
import { examineVideo } from './examine-video.ts'

/** What passes between threads, which an error of a class of its own does not. */
export type Examination =
  | { readonly kind: 'examined'; readonly file: ExaminedFile }
  | {
      readonly kind: 'refused'
      readonly reason: FileRefused['reason']
      readonly found: string
      readonly allowed: string
    }

/** Runs in the thread of `examineInThread`. */
export async function run(file: ReceivedFile): Promise<Examination> {
  try {
    const isVideo = file.kind === 'video' || file.mimeType === 'audio/mp4'
    return { kind: 'examined', file: isVideo ? await examineVideo(file) : await examineAudio(file) }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    return { kind: 'refused', reason: error.reason, found: error.found, allowed: error.allowed }
  }
}
