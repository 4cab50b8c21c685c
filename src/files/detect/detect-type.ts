/** What a file is, from its first bytes, whatever its name and its sender say. */
import { sniffContainer } from '../../media/video-container.ts'
import { FileRefused } from '../file-refused.ts'
import type { DetectedType } from '../received-file.ts'
import { ALLOWED_TYPES } from './allowed-types.ts'
import { FILE_TYPES, type TakenMimeType } from './file-types.ts'
import { markup } from './markup.ts'
import { readAdtsFrame, readMp3Frame, skipId3 } from './mpeg-frames.ts'
import { otherFormat } from './other-formats.ts'

/** Enough of a file to tell its type: comments may stand in front of the first tag of an SVG. */
export const DETECTED_HEAD_BYTES = 4096

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff])

const CONTAINERS = { mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm' } as const

/**
 * Tells the type of a file from its first `DETECTED_HEAD_BYTES` bytes, or all of it where it is shorter. Whether an MP4
 * holds a picture or only sound is a guess from its brand, which `examineFile` corrects.
 * @throws FileRefused for what is not taken.
 */
export function detectType(head: Buffer): DetectedType {
  if (head.length === 0) throw new FileRefused('broken', { found: 'empty', allowed: ALLOWED_TYPES })
  const taken = signedType(head)
  if (taken !== undefined) return FILE_TYPES[taken]
  const found = otherFormat(head) ?? markup(head)
  if (found !== undefined) throw refused(found)
  const sniffed = sniffContainer(head)
  if (sniffed.kind === 'other') throw refused(sniffed.found)
  return FILE_TYPES[CONTAINERS[sniffed.container]]
}

function signedType(head: Buffer): TakenMimeType | undefined {
  const start = head.toString('latin1', 0, 4)
  const form = head.toString('latin1', 8, 12)
  if (head.subarray(0, 3).equals(JPEG_START)) return 'image/jpeg'
  if (head.subarray(0, 8).equals(PNG_SIGNATURE)) return 'image/png'
  if (start === 'RIFF' && form === 'WEBP') return 'image/webp'
  if (start === 'RIFF' && form === 'WAVE') return 'audio/wav'
  if (start === 'OggS') return oggType(head)
  if (/^ftyp(M4A|M4B|F4A) $/.test(head.toString('latin1', 4, 12))) return 'audio/mp4'
  return framedType(head)
}

function oggType(head: Buffer): TakenMimeType {
  if (head.includes('\x80theora', 0, 'latin1')) throw refused('an Ogg video')
  return 'audio/ogg'
}

/** MP3 and AAC have no header, only frames, behind a tag with the title and the cover as a rule. */
function framedType(head: Buffer): TakenMimeType | undefined {
  const first = skipId3(head)
  // The cover is longer than the head: what follows it is found when the whole file is looked into.
  if (first >= head.length) return 'audio/mpeg'
  if (readAdtsFrame(head, first) !== undefined) return 'audio/aac'
  if (readMp3Frame(head, first) !== undefined) return 'audio/mpeg'
  if (first > 0) throw refused('a tag (ID3) in front of something that is neither MP3 nor AAC')
  return undefined
}

function refused(found: string): FileRefused {
  return new FileRefused('not_allowed', { found, allowed: ALLOWED_TYPES })
}
