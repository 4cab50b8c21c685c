import type { Refusal } from '../canonical/refusal.ts'
import type { FileRefused } from '../files/file-refused.ts'
import { refusedReference } from '../files/refused-reference.ts'

/** A file that is not taken, as the refusal of the form's field in which it was sent. */
export function refusalOfFile(field: string, error: FileRefused): Refusal {
  const { found, allowed, reason } = error
  const code = reason === 'too_large' ? 'body_too_large' : 'invalid_field'
  return refusedReference({ code, field, wrong: `cannot be used: the file is ${found}`, allowed, cause: error })
}
