import '../../isolation/silence-demuxers.ts'
import { open } from 'node:fs/promises'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ExaminedFile, ReceivedFile } from '../received-file.ts'
import { cutTrailer } from './cut-trailer.ts'
import { examineAudio } from './examine-audio.ts'
import { examineImage } from './examine-image.ts'
import { examineVideo } from './examine-video.ts'
import { HIDDEN_HEAD_BYTES, HIDDEN_TAIL_BYTES, hiddenFormat } from './hidden-format.ts'

/** What passes between processes, which an error of a class of its own does not. */
export type Examination =
  | { readonly kind: 'examined'; readonly file: ExaminedFile }
  | {
      readonly kind: 'refused'
      readonly reason: FileRefused['reason']
      readonly found: string
      readonly allowed: string
    }

/** Runs in the process of `examineFile`. */
export async function run(received: ReceivedFile): Promise<Examination> {
  try {
    const file = await cutTrailer(received)
    await refuseHiddenFormat(file)
    return { kind: 'examined', file: await examineKind(file) }
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    return { kind: 'refused', reason: error.reason, found: error.found, allowed: error.allowed }
  }
}

function examineKind(file: ReceivedFile): Promise<ExaminedFile> {
  if (file.kind === 'image') return examineImage(file)
  return file.kind === 'video' || file.mimeType === 'audio/mp4' ? examineVideo(file) : examineAudio(file)
}

async function refuseHiddenFormat({ path, sizeBytes, mimeType }: ReceivedFile): Promise<void> {
  const head = await readPart(path, 0, HIDDEN_HEAD_BYTES)
  const tail = await readPart(path, Math.max(0, sizeBytes - HIDDEN_TAIL_BYTES), HIDDEN_TAIL_BYTES)
  const hidden = hiddenFormat(head, tail)
  if (hidden === undefined) return
  throw new FileRefused('not_allowed', {
    found: `${calledOf(mimeType)} and ${hidden} at once`,
    allowed: 'files that are one thing only',
  })
}

async function readPart(path: string, position: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
