/**
 * MP3 (ISO 11172-3, 13818-3) and AAC in ADTS (ISO 13818-7): frames one after the other, each with a header that says how
 * long it is. There is no table of contents, so a file is measured, and found to be cut short, by walking over them.
 */

export interface MpegFrame {
  readonly bytes: number
  readonly seconds: number
}

export interface MpegFrames {
  /** One past the last byte that belongs to the sound or its tags; infinite where the last frame is cut short. */
  readonly end: number
  readonly frames: number
  readonly seconds: number
}

const MP3_HEADER_BYTES = 4
const ADTS_HEADER_BYTES = 7
const ID3_HEADER_BYTES = 10
const APE_FOOTER_BYTES = 32
const ID3_V1_BYTES = 128

/** Kilobits a second, by the index in the header: MPEG-1 layer III, and MPEG-2 and 2.5 layer III. */
const MP3_KILOBITS = {
  full: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  half: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const
const MP3_RATES = [44_100, 48_000, 32_000] as const
const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
] as const

/** The frame of MP3 whose header stands there; `undefined` where there is none. */
export function readMp3Frame(bytes: Buffer, at: number): MpegFrame | undefined {
  if (at + MP3_HEADER_BYTES > bytes.length) return undefined
  const header = bytes.readUInt32BE(at)
  const version = (header >>> 19) & 0b11
  const isLayer3 = ((header >>> 17) & 0b11) === 0b01
  if (header >>> 21 !== 0x7ff || version === 0b01 || !isLayer3) return undefined
  const isFull = version === 0b11
  const kilobits = MP3_KILOBITS[isFull ? 'full' : 'half'][(header >>> 12) & 0xf]
  const fullRate = MP3_RATES[(header >>> 10) & 0b11]
  if (kilobits === undefined || kilobits === 0 || fullRate === undefined) return undefined
  const samples = isFull ? 1152 : 576
  const rate = isFull ? fullRate : version === 0b10 ? fullRate / 2 : fullRate / 4
  const padding = (header >>> 9) & 1
  return { bytes: Math.floor(((samples / 8) * kilobits * 1000) / rate) + padding, seconds: samples / rate }
}

/** The frame of AAC whose header stands there; `undefined` where there is none. */
export function readAdtsFrame(bytes: Buffer, at: number): MpegFrame | undefined {
  if (at + ADTS_HEADER_BYTES > bytes.length || (bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return undefined
  const rate = AAC_RATES[(bytes.readUInt8(at + 2) >> 2) & 0xf]
  const length = (bytes.readUInt32BE(at + 3) >>> 13) & 0x1fff
  if (rate === undefined || length < ADTS_HEADER_BYTES) return undefined
  const blocks = (bytes.readUInt8(at + 6) & 0b11) + 1
  return { bytes: length, seconds: (blocks * 1024) / rate }
}

/** Where the tags in front of the sound (ID3v2) end. May lie beyond the end of the bytes. */
export function skipId3(bytes: Buffer): number {
  let at = 0
  while (bytes.toString('latin1', at, at + 3) === 'ID3' && at + ID3_HEADER_BYTES <= bytes.length) {
    const hasFooter = (bytes.readUInt8(at + 5) & 0x10) !== 0
    // Seven bits to a byte, so that no part of a tag looks like a frame.
    const size = [6, 7, 8, 9].reduce((sum, byte) => sum * 128 + (bytes.readUInt8(at + byte) & 0x7f), 0)
    at += ID3_HEADER_BYTES * (hasFooter ? 2 : 1) + size
  }
  return at
}

/** Walks over all frames of a file. */
export function walkMpegFrames(bytes: Buffer, readFrame: typeof readMp3Frame): MpegFrames {
  const start = skipId3(bytes)
  let at = start
  let frames = 0
  let seconds = 0
  for (let frame = readFrame(bytes, at); frame !== undefined; frame = readFrame(bytes, at)) {
    if (at + frame.bytes > bytes.length) return { end: Number.POSITIVE_INFINITY, frames, seconds }
    // The first frame of an MP3 may hold a count of the others in place of sound.
    const isSound = frames > 0 || countedFrames(bytes.subarray(at, at + frame.bytes)) === undefined
    at += frame.bytes
    frames += 1
    if (isSound) seconds += frame.seconds
  }
  const counted = countedFrames(bytes.subarray(start, at))
  if (counted !== undefined && frames - 1 < counted) return { end: Number.POSITIVE_INFINITY, frames, seconds }
  return { end: skipTrailingTags(bytes, at), frames, seconds }
}

/** How many frames of sound follow, where the first frame says so (Xing); 0 where it only says that it is no sound. */
function countedFrames(firstFrame: Buffer): number | undefined {
  // Behind the header and the side information, which is 9 to 32 bytes long.
  const head = firstFrame.subarray(0, 48)
  const at = Math.max(head.indexOf('Xing', 0, 'latin1'), head.indexOf('Info', 0, 'latin1'))
  if (at === -1) return head.includes('VBRI', 0, 'latin1') ? 0 : undefined
  const hasCount = at + 12 <= firstFrame.length && (firstFrame.readUInt32BE(at + 4) & 1) === 1
  return hasCount ? firstFrame.readUInt32BE(at + 8) : 0
}

/** Tags that players know behind the sound: APEv2, then ID3v1. */
function skipTrailingTags(bytes: Buffer, start: number): number {
  let at = start
  if (bytes.toString('latin1', at, at + 8) === 'APETAGEX' && at + APE_FOOTER_BYTES <= bytes.length) {
    at += APE_FOOTER_BYTES + bytes.readUInt32LE(at + 12)
  }
  if (bytes.toString('latin1', at, at + 3) === 'TAG') at += ID3_V1_BYTES
  return at
}
