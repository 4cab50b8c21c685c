/** The boxes of ISO 14496-12 (MP4, MOV): a length, a four-letter type, and content, which may be boxes again. */
import type { FileHandle } from 'node:fs/promises'
import { BrokenMedia } from './broken-media.ts'

export interface Box {
  readonly type: string
  /** Where its header starts, in bytes from the start of what was read. */
  readonly start: number
  readonly headerBytes: number
  /** One past its last byte. */
  readonly end: number
  /** Whether its length is written as 0, “to the end of the file”: nothing can be appended behind such a box. */
  readonly openEnded: 'open-ended' | 'sized'
}

/** A box is at least this long; fewer bytes at the end of a file are padding that some writers leave. */
const SHORT_HEADER_BYTES = 8
/** The header of a box whose length needs 64 bits. */
const LONG_HEADER_BYTES = 16

/**
 * An hour of fragments of a second has 7,200 boxes. Past this a file is made to waste our time: each costs a read.
 */
const MAX_TOP_LEVEL_BOXES = 100_000

/** Lists the outermost boxes of a file of `sizeBytes`. Throws `BrokenMedia` when one ends beyond the end of the file. */
export async function topLevelBoxes(file: FileHandle, sizeBytes: number): Promise<Box[]> {
  const boxes: Box[] = []
  const header = Buffer.alloc(LONG_HEADER_BYTES)
  for (let start = 0; sizeBytes - start >= SHORT_HEADER_BYTES; ) {
    if (boxes.length === MAX_TOP_LEVEL_BOXES) {
      throw new BrokenMedia('unreadable', `The file has more than ${MAX_TOP_LEVEL_BOXES} boxes.`)
    }
    const { bytesRead } = await file.read(header, 0, LONG_HEADER_BYTES, start)
    const box = boxAt(header.subarray(0, bytesRead), start, sizeBytes)
    if (box.end > sizeBytes) {
      throw new BrokenMedia(
        'truncated',
        `The file is cut short: its ${box.type} box ends at byte ${box.end}, the file at ${sizeBytes}.`,
      )
    }
    boxes.push(box)
    start = box.end
  }
  return boxes
}

/** A box in memory. Its buffers are views: what is written into them is written into the box. */
export interface InnerBox {
  readonly type: string
  readonly content: Buffer
  /** With its header. */
  readonly whole: Buffer
}

/** The boxes inside the content of another, held in memory; stops at the first that does not fit. */
export function* boxesIn(content: Buffer): Generator<InnerBox> {
  for (let start = 0; content.length - start >= SHORT_HEADER_BYTES; ) {
    const box = boxAt(content.subarray(start), start, content.length)
    if (box.end > content.length) return
    yield {
      type: box.type,
      content: content.subarray(start + box.headerBytes, box.end),
      whole: content.subarray(start, box.end),
    }
    start = box.end
  }
}

/** Reads the header at the front of `bytes`, which lie at `start` of something that is `sizeBytes` long. */
function boxAt(bytes: Buffer, start: number, sizeBytes: number): Box {
  const type = bytes.toString('latin1', 4, 8)
  const short = bytes.readUInt32BE(0)
  if (short === 0) return { type, start, headerBytes: SHORT_HEADER_BYTES, end: sizeBytes, openEnded: 'open-ended' }
  const isLong = short === 1 && bytes.length >= LONG_HEADER_BYTES
  const headerBytes = isLong ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES
  const length = isLong ? Number(bytes.readBigUInt64BE(8)) : short
  if (length < headerBytes) {
    throw new BrokenMedia(
      'unreadable',
      `The file is damaged: at byte ${start} a box claims to be ${length} bytes long.`,
    )
  }
  return { type, start, headerBytes, end: start + length, openEnded: 'sized' }
}
