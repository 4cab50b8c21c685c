import { videoBytes } from './good-files.ts'

/** The element of Matroska that holds its index (RFC 9559, 5.1.5). */
const CUES_ID = Buffer.from('1c53bb6b', 'hex')

/** A WebM with one damaged byte, which catches the demuxer in a loop without end (mediabunny 1.61.0). */
export async function endlessWebm(): Promise<Buffer> {
  const bytes = await videoBytes({ format: 'webm' })
  bytes.writeUInt8(0xe3, bytes.lastIndexOf(CUES_ID))
  return bytes
}
