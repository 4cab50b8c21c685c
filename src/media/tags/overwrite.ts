import type { FileHandle } from 'node:fs/promises'
import type { FileSpan } from '../sample-tables.ts'

/** Bytes written at a time. */
const CHUNK_BYTES = 256 * 1024

const ZEROS = Buffer.alloc(CHUNK_BYTES)

/** Writes zeros over a part of a file. */
export async function overwrite(file: FileHandle, { start, end }: FileSpan): Promise<void> {
  for (let at = start; at < end; at += CHUNK_BYTES) {
    await writeAt(file, ZEROS.subarray(0, Math.min(CHUNK_BYTES, end - at)), at)
  }
}

export async function readAt(file: FileHandle, { start, end }: FileSpan): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start)
  let read = 0
  while (read < bytes.length) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return bytes.subarray(0, read)
}

/** `write` may take fewer bytes than it was given, on a nearly full disk above all. */
export async function writeAt(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, start + written)).bytesWritten
  }
}
