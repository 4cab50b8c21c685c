import { type FileHandle, open, readFile } from 'node:fs/promises'
import { HEAD_BYTES } from '../../media/video-container.ts'
import { webmSegmentEnd } from '../../media/webm-segment-end.ts'
import { readAdtsFrame, readMp3Frame, skipId3, walkMpegFrames } from '../detect/mpeg-frames.ts'
import type { ReceivedFile } from '../received-file.ts'
import { boxesEnd } from './boxes-end.ts'
import { oggEnd } from './ogg-end.ts'
import { riffEnd } from './riff-end.ts'
import { walkJpeg } from './walk-jpeg.ts'
import { walkPng } from './walk-png.ts'

/**
 * One past the last byte of what a file is by its own structure; infinite where bytes are missing.
 * @throws FileRefused for one made to waste time.
 */
export async function contentEnd({ path, mimeType }: ReceivedFile, sizeBytes: number): Promise<number> {
  switch (mimeType) {
    case 'image/jpeg':
      return walkJpeg(await readFile(path)).end
    case 'image/png':
      return walkPng(await readFile(path)).end
    case 'image/webp':
    case 'audio/wav':
      return riffEnd(await readFile(path))
    case 'audio/ogg':
      return oggEnd(await readFile(path))
    case 'audio/mpeg':
    case 'audio/aac':
      return mpegEnd(await readFile(path))
    case 'video/webm':
      return await opened(path, (file) => webmEnd(file, sizeBytes))
    default:
      return await opened(path, (file) => boxesEnd(file, sizeBytes))
  }
}

/** Behind a cover of any length stands either MP3 or AAC; only now is it known which. */
function mpegEnd(bytes: Buffer): number {
  const isAac = readAdtsFrame(bytes, skipId3(bytes)) !== undefined
  return walkMpegFrames(bytes, isAac ? readAdtsFrame : readMp3Frame).end
}

/** A recording that was written while it was made does not say where it ends: then it ends where the file does. */
async function webmEnd(file: FileHandle, sizeBytes: number): Promise<number> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
  return webmSegmentEnd(buffer.subarray(0, bytesRead)) ?? sizeBytes
}

async function opened<Answer>(path: string, read: (file: FileHandle) => Promise<Answer>): Promise<Answer> {
  const file = await open(path, 'r')
  try {
    return await read(file)
  } finally {
    await file.close()
  }
}
