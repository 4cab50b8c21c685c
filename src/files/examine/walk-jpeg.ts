/** JPEG (ITU-T T.81, annex B): segments that begin with a marker, and between them the coded picture. */
import { FileRefused } from '../file-refused.ts'

const START_OF_IMAGE = Buffer.from([0xff, 0xd8])
const END_OF_IMAGE = 0xd9
const START_OF_SCAN = 0xda
const COMMENT = 0xfe

/** Frames whose pixels come in one pass: all of the 64 coefficients of a block in each scan. */
const SEQUENTIAL_FRAMES: readonly (number | undefined)[] = [0xc0, 0xc1]

/**
 * A progressive picture has some ten scans. Each costs a pass over all of its pixels, so thousands of empty ones keep a
 * decoder busy for minutes.
 */
const MAX_SCANS = 100

export interface WalkedJpeg {
  /** One past the last byte of the picture; infinite where it is cut short. */
  readonly end: number
  readonly scans: number
  /** The picture without what says nothing about its pixels, and without the mistakes that every decoder overlooks. */
  readonly picture: Buffer
}

/**
 * Walks over the segments of the first picture. Cameras put more behind it: pictures for bright screens or the other eye,
 * films, notes of their own.
 * @throws FileRefused for one made to waste time.
 */
export function walkJpeg(bytes: Buffer): WalkedJpeg {
  const parts: Buffer[] = [START_OF_IMAGE]
  let scans = 0
  let frame: number | undefined
  for (let at = nextMarker(bytes, START_OF_IMAGE.length); at !== -1; ) {
    const marker = bytes[at + 1]
    if (marker === END_OF_IMAGE) {
      parts.push(bytes.subarray(at, at + 2))
      return { end: at + 2, scans, picture: Buffer.concat(parts) }
    }
    if (at + 4 > bytes.length) break
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    const next = nextMarker(bytes, end)
    if (marker === START_OF_SCAN) {
      scans += 1
      if (scans > MAX_SCANS) throw tooManyScans()
      const header = SEQUENTIAL_FRAMES.includes(frame) ? sequential(bytes.subarray(at, end)) : bytes.subarray(at, end)
      parts.push(header, bytes.subarray(end, next === -1 ? bytes.length : next))
    } else if (!isNote(marker)) {
      if (isFrame(marker)) frame = marker
      parts.push(bytes.subarray(at, end))
    }
    at = next
  }
  return { end: Number.POSITIVE_INFINITY, scans, picture: bytes }
}

/** The next marker with a meaning: in the coded picture FF00 stands for the byte FF, and FFD0 to FFD7 only count. */
function nextMarker(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    // Any number of them may stand before a marker.
    while (bytes[at + 1] === 0xff) at += 1
    const next = bytes[at + 1]
    if (next === undefined) return -1
    if (next >= 0xc0 && (next < 0xd0 || next > 0xd7)) return at
  }
  return -1
}

/** APP0 to APP15, and comments. */
function isNote(marker: number | undefined): boolean {
  return marker !== undefined && ((marker >= 0xe0 && marker <= 0xef) || marker === COMMENT)
}

/** SOF0 to SOF15, but for the tables and the extension that stand between them. */
function isFrame(marker: number | undefined): boolean {
  return marker !== undefined && marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
}

/** The header of a scan that says what it must: some cameras write 0 to 0, which decoders overlook with a warning. */
function sequential(header: Buffer): Buffer {
  const right = Buffer.from(header)
  // Its last three bytes: the first and the last coefficient, and bits of precision that came before.
  if (right.length >= 3) right.set([0, 63, 0], right.length - 3)
  return right
}

function tooManyScans(): FileRefused {
  return new FileRefused('broken', {
    found: `a JPEG image of more than ${MAX_SCANS} scans`,
    allowed: `at most ${MAX_SCANS} scans`,
  })
}
