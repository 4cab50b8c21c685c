import type { FileHandle } from 'node:fs/promises'
import { isXmp } from '../../media/xmp.ts'

const SHORT_HEADER_BYTES = 8
const LONG_HEADER_BYTES = 16

/** The header of a box, and of one of the type `uuid` the id of its own type. */
const READ_BYTES = SHORT_HEADER_BYTES + 16

/** As in `media/boxes.ts`: each costs a read. */
const MAX_TOP_LEVEL_BOXES = 100_000

/** Boxes that hold what is played, or say where it is. One of these that does not fit is a file cut short. */
const MAIN_BOXES = ['ftyp', 'moov', 'mdat', 'moof', 'styp', 'sidx', 'ssix', 'meta', 'mfra']

/**
 * One past the last box of an MP4 or MOV of `sizeBytes` that anything is played from (ISO 14496-12, 4.2), or that says
 * where the video comes from; infinite where one is cut short. Padding and boxes of other types count where such a box
 * follows them; behind the last one they are not part of the video, and what is glued on there is read as one of them.
 */
export async function boxesEnd(file: FileHandle, sizeBytes: number): Promise<number> {
  const header = Buffer.alloc(READ_BYTES)
  let end = 0
  let start = 0
  for (let boxes = 0; boxes < MAX_TOP_LEVEL_BOXES && start + SHORT_HEADER_BYTES <= sizeBytes; boxes += 1) {
    const { bytesRead } = await file.read(header, 0, READ_BYTES, start)
    const head = header.subarray(0, bytesRead)
    const type = head.toString('latin1', 4, 8)
    const next = start + boxLength(head, sizeBytes - start)
    const isMain = MAIN_BOXES.includes(type)
    if (isMain && next > sizeBytes) return Number.POSITIVE_INFINITY
    if (!/^[\w ©-]{4}$/.test(type) || next > sizeBytes) break
    start = next
    if (isMain || (type === 'uuid' && isXmp(head.subarray(SHORT_HEADER_BYTES)))) end = next
  }
  return end
}

/** As its header says; `rest` is what there is from its start to the end of the file. */
function boxLength(header: Buffer, rest: number): number {
  const short = header.readUInt32BE(0)
  if (short === 0) return rest
  const length = short === 1 && header.length >= LONG_HEADER_BYTES ? Number(header.readBigUInt64BE(8)) : short
  return length < SHORT_HEADER_BYTES ? Number.POSITIVE_INFINITY : length
}
