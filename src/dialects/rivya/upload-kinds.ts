import type { ReferencePolicy } from '../../canonical/model.ts'

const MB = 1024 * 1024

/** What the vendor documents that an upload may be where it names no model. */
export const UPLOAD_KINDS: ReferencePolicy['kinds'] = [
  { kind: 'image', maxBytes: 10 * MB, mimeTypes: ['image/jpeg', 'image/png', 'image/webp'] },
  { kind: 'video', maxBytes: 50 * MB, mimeTypes: ['video/mp4', 'video/quicktime', 'video/webm'] },
  {
    kind: 'audio',
    maxBytes: 10 * MB,
    mimeTypes: ['audio/mpeg', 'audio/mp4', 'audio/wav', 'audio/aac', 'audio/ogg'],
  },
]
