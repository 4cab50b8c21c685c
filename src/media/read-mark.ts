import { type FileHandle, open } from 'node:fs/promises'
import { type Box, topLevelBoxes } from './boxes.ts'
import { BrokenMedia } from './broken-media.ts'
import { type Provenance, readXmpBox } from './xmp.ts'

/** Ours has 1,000 bytes and two ids; another program's XMP may be longer and is none of ours. */
const MAX_MARK_BYTES = 65_536

/** The provenance mark of a video; `undefined` if it has none, or is no MP4 or MOV. */
export async function readMark(path: string): Promise<Provenance | undefined> {
  const file = await open(path, 'r')
  try {
    const boxes = await topLevelBoxes(file, (await file.stat()).size)
    // The mark comes last, so of two the last is ours.
    for (const box of boxes.reverse()) {
      const mark = box.type === 'uuid' ? await readBox(file, box) : undefined
      if (mark !== undefined) return mark
    }
    return undefined
  } catch (error) {
    // A WebM, a cut file, or no video at all.
    if (error instanceof BrokenMedia) return undefined
    throw error
  } finally {
    await file.close()
  }
}

async function readBox(file: FileHandle, { start, headerBytes, end }: Box): Promise<Provenance | undefined> {
  const length = end - start - headerBytes
  if (length > MAX_MARK_BYTES) return undefined
  const content = Buffer.alloc(length)
  await file.read(content, 0, length, start + headerBytes)
  return readXmpBox(content)
}
