import { REFERENCE_KINDS } from '../../canonical/reference.ts'
import { FILE_TYPES } from './file-types.ts'

/** What a file may be, in words: `image (image/jpeg, …), video (…), audio (…)`. */
export const ALLOWED_TYPES: string = REFERENCE_KINDS.map((kind) => {
  const types = Object.values(FILE_TYPES).filter((type) => type.kind === kind)
  return `${kind} (${types.map(({ mimeType }) => mimeType).join(', ')})`
}).join(', ')
