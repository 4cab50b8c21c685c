import { createHash } from 'node:crypto'

/** A field of a form: a text, or a file with its name and type. */
export type FormPart =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly fileName: string; readonly mimeType: string; readonly bytes: Buffer }

/** RFC 2046 allows 70 characters; half a SHA-256 is beyond guessing. */
const BOUNDARY_DIGITS = 32

export interface FormBody {
  readonly contentType: string
  readonly body: Buffer
}

/**
 * A form as `multipart/form-data` (RFC 7578). `salt` is something that nobody who wrote one of the parts can know (an
 * attempt's token): the boundary is made from it. Names are ours, and have no quotes.
 */
export function formBody(parts: readonly FormPart[], salt: string): FormBody {
  const boundary = `reelay-${createHash('sha256').update(salt).digest('hex').slice(0, BOUNDARY_DIGITS)}`
  const chunks = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n\r\n`),
    'bytes' in part ? part.bytes : Buffer.from(part.text),
    Buffer.from('\r\n'),
  ])
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  }
}

function headOf(part: FormPart): string {
  const disposition = `Content-Disposition: form-data; name="${part.name}"`
  if (!('bytes' in part)) return disposition
  return `${disposition}; filename="${part.fileName}"\r\nContent-Type: ${part.mimeType}`
}
