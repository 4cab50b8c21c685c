import { constants, copyFile, open } from 'node:fs/promises'
import { topLevelBoxes } from './boxes.ts'
import { stripTags } from './tags/strip-tags.ts'
import type { VideoContainer } from './video-container.ts'
import { type Provenance, xmpBox } from './xmp.ts'

/** The largest length that the short header of a box can hold. */
const MAX_SHORT_BOX_BYTES = 0xffff_ffff

export interface VideoToMark {
  /** A video that `probeVideo` has found whole: the mark would fill the gap at the end of a truncated one. */
  readonly path: string
  readonly container: VideoContainer
  /** Where the marked copy goes. */
  readonly targetPath: string
  readonly provenance: Provenance
}

/**
 * Copies a video, takes out of the copy what its maker's programs have written into its container, and appends the
 * provenance mark. The mark comes last, so no offset in the file changes. A WebM gets none: its format has no place for XMP,
 * and its signed manifest says the same.
 */
export async function markVideo({ path, container, targetPath, provenance }: VideoToMark): Promise<void> {
  // On file systems that can (Btrfs, XFS, APFS) the copy shares its blocks with the original.
  await copyFile(path, targetPath, constants.COPYFILE_FICLONE)
  await stripTags(targetPath, container)
  if (container === 'webm') return
  const file = await open(targetPath, 'r+')
  try {
    const last = (await topLevelBoxes(file, (await file.stat()).size)).at(-1)
    if (last === undefined) throw new Error('A video without boxes cannot be marked.')
    if (last.openEnded === 'open-ended') await closeBox(file, last)
    // What may follow the last box is padding, too short to be a box. It would hide the mark, which overwrites it.
    await file.write(xmpBox(provenance), 0, undefined, last.end)
  } finally {
    await file.close()
  }
}

/** Writes the length of a box that reaches “to the end of the file”, so that it does not swallow what follows. */
async function closeBox(file: Awaited<ReturnType<typeof open>>, box: { start: number; end: number }): Promise<void> {
  const length = box.end - box.start
  if (length > MAX_SHORT_BOX_BYTES) throw new Error(`A box of ${length} bytes without a length cannot be closed.`)
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  await file.write(bytes, 0, bytes.length, box.start)
}
