import type { FileHandle } from 'node:fs/promises'

const SHORT_HEADER_BYTES = 8
const LONG_HEADER_BYTES = 16

/** As in `media/boxes.ts`: each costs a read. */
const MAX_TOP_LEVEL_BOXES = 100_000

/** Boxes that hold what is played. One of these that does not fit is a file cut short; another is no box at all. */
const MAIN_BOXES = ['ftyp', 'moov', 'mdat', 'moof', 'styp', 'sidx', 'free', 'skip', 'wide', 'uuid', 'meta', 'mfra']

/**
 * One past the last box of an MP4 or MOV of `sizeBytes` (ISO 14496-12, 4.2); infinite where that box is cut short. What
 * is glued on behind is read as a box of an odd name, or one far longer than the file.
 */
export async function boxesEnd(file: FileHandle, sizeBytes: number): Promise<number> {
  const header = Buffer.alloc(LONG_HEADER_BYTES)
  let start = 0
  for (let boxes = 0; boxes < MAX_TOP_LEVEL_BOXES && start + SHORT_HEADER_BYTES <= sizeBytes; boxes += 1) {
    const { bytesRead } = await file.read(header, 0, LONG_HEADER_BYTES, start)
    const end = start + boxLength(header.subarray(0, bytesRead), sizeBytes - start)
    const type = header.toString('latin1', 4, 8)
    if (MAIN_BOXES.includes(type) && end > sizeBytes) return Number.POSITIVE_INFINITY
    if (!/^[\w ©-]{4}$/.test(type) || end > sizeBytes) return start
    start = end
  }
  return start
}

/** As its header says; `rest` is what there is from its start to the end of the file. */
function boxLength(header: Buffer, rest: number): number {
  const short = header.readUInt32BE(0)
  if (short === 0) return rest
  const length = short === 1 && header.length === LONG_HEADER_BYTES ? Number(header.readBigUInt64BE(8)) : short
  return length < SHORT_HEADER_BYTES ? Number.POSITIVE_INFINITY : length
}
