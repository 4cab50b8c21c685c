import type { ReferenceKind } from '../canonical/reference.ts'
import { FileRefused } from './file-refused.ts'
import { KIND_LIMITS } from './kind-limits.ts'

const MIB = 1024 * 1024

/** The refusal of a file with more bytes than any of its kind may have. */
export function tooLarge(kind: ReferenceKind): FileRefused {
  const { one, many, maxBytes } = KIND_LIMITS[kind]
  const limit = `${maxBytes / MIB} MiB`
  return new FileRefused('too_large', { found: `${one} of more than ${limit}`, allowed: `${many} of at most ${limit}` })
}
