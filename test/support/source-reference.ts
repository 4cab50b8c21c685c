import { newId } from '../../src/canonical/ids.ts'
import type { Reference } from '../../src/canonical/reference.ts'

/** A source video as a request has it: 24 frames per second; what only a store would know is made up. */
export function sourceReference({
  width,
  height,
  frames,
}: {
  width: number
  height: number
  frames: number
}): Reference {
  return {
    role: 'source',
    fileId: newId('file'),
    kind: 'video',
    mimeType: 'video/mp4',
    sizeBytes: 1,
    sha256: '00',
    storeKey: 'files/00/source.mp4',
    width,
    height,
    durationSeconds: frames / 24,
  }
}
