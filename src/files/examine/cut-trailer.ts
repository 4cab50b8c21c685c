import { stat, truncate } from 'node:fs/promises'
import { hashFile } from '../../media/hash-file.ts'
import { calledOf } from '../detect/file-types.ts'
import { FileRefused } from '../file-refused.ts'
import type { ReceivedFile } from '../received-file.ts'
import { contentEnd } from './content-end.ts'

/**
 * Cuts off, on this disk, what lies behind the end of a file: line breaks and zeros of careless programs, films and notes
 * of cameras, and whatever else somebody hid there. Every viewer passes over it; what is kept and handed on is one thing
 * only. The answer has the size and the hash of what is left.
 * @throws FileRefused where bytes are missing.
 */
export async function cutTrailer(file: ReceivedFile): Promise<ReceivedFile> {
  // As it is now: a file that is named twice may be looked into twice.
  const { size } = await stat(file.path)
  const end = await contentEnd(file, size)
  if (end > size) {
    throw new FileRefused('broken', { found: `${calledOf(file.mimeType)} that is cut short`, allowed: 'whole files' })
  }
  if (end < size) await truncate(file.path, end)
  if (end === file.sizeBytes) return file
  return { ...file, sizeBytes: end, sha256: await hashFile(file.path) }
}
