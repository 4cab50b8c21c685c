import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { StoredFile } from './store.ts'

/** Bytes read, hashed and written at a time: hashing this much holds the event loop for well under a millisecond. */
const CHUNK_BYTES = 256 * 1024

/** Copies a file to a path that must not exist yet and waits until the bytes are on stable storage. */
export async function copyAndHash(sourcePath: string, targetPath: string): Promise<StoredFile> {
  const source = await open(sourcePath, 'r')
  try {
    const target = await open(targetPath, 'wx')
    try {
      const hash = createHash('sha256')
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      let sizeBytes = 0
      for (;;) {
        const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES)
        if (bytesRead === 0) break
        const bytes = chunk.subarray(0, bytesRead)
        hash.update(bytes)
        await writeWhole(target, bytes)
        sizeBytes += bytesRead
      }
      await target.sync()
      return { sizeBytes, sha256: hash.digest() }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** `write` may take fewer bytes than it was given, on a nearly full disk above all. */
async function writeWhole(target: Awaited<ReturnType<typeof open>>, bytes: Buffer): Promise<void> {
  let written = 0
  while (written < bytes.length) written += (await target.write(bytes, written)).bytesWritten
}
