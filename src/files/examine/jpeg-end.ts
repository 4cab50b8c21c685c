/** JPEG (ITU-T T.81, annex B): segments that begin with a marker, and between them the coded picture. */
import { FileRefused } from '../file-refused.ts'

const START_OF_IMAGE = 0xd8
const END_OF_IMAGE = 0xd9
const START_OF_SCAN = 0xda

/**
 * A progressive picture has some ten scans. Each costs a pass over all of its pixels, so thousands of empty ones keep a
 * decoder busy for minutes.
 */
const MAX_SCANS = 100

/**
 * One past the last byte of the picture; infinite where it is cut short. Cameras put further pictures behind the first, for
 * bright screens or the other eye, and zeros behind those: they belong to it.
 * @throws FileRefused for one made to waste time.
 */
export function jpegEnd(bytes: Buffer): number {
  let end = 0
  while (isPictureAt(bytes, end)) end = pictureEnd(bytes, end)
  while (bytes[end] === 0) end += 1
  return end
}

function isPictureAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0xff && bytes[at + 1] === START_OF_IMAGE && bytes[at + 2] === 0xff
}

function pictureEnd(bytes: Buffer, start: number): number {
  let scans = 0
  for (let at = nextMarker(bytes, start + 2); at !== -1; ) {
    const marker = bytes[at + 1]
    if (marker === END_OF_IMAGE) return at + 2
    if (marker === START_OF_SCAN) scans += 1
    if (scans > MAX_SCANS) {
      throw new FileRefused('broken', {
        found: `a JPEG image of more than ${MAX_SCANS} scans`,
        allowed: `at most ${MAX_SCANS} scans`,
      })
    }
    if (at + 4 > bytes.length) break
    at = nextMarker(bytes, at + 2 + bytes.readUInt16BE(at + 2))
  }
  return Number.POSITIVE_INFINITY
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
