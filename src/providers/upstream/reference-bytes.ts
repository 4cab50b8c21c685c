import type { Reference, ReferenceKind } from '../../canonical/reference.ts'
import type { OpenReference, StartOutcome } from '../provider.ts'

/** As the catalog takes files of each kind. A start holds one or a few of them in memory, as bytes and as what is sent. */
export const MAX_REFERENCE_BYTES: Readonly<Record<ReferenceKind, number>> = {
  image: 20 * 1024 * 1024,
  video: 50 * 1024 * 1024,
  audio: 10 * 1024 * 1024,
}

export const MAX_PICTURE_BYTES = MAX_REFERENCE_BYTES.image

/** The bytes of a file. @throws Error where there are more of them than its kind has, or than its record says. */
export async function referenceBytes(reference: Reference, openReference: OpenReference): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of await openReference(reference)) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a file is bytes')
    bytes += chunk.length
    if (bytes > Math.min(MAX_REFERENCE_BYTES[reference.kind], reference.sizeBytes)) break
    chunks.push(chunk)
  }
  if (bytes !== reference.sizeBytes)
    throw new Error(`${reference.fileId} does not have the ${reference.sizeBytes} bytes that its record says`)
  return Buffer.concat(chunks)
}

/** What a start came to whose files could not be read. */
export function unreadable(error: unknown): Extract<StartOutcome, { kind: 'undelivered' }> {
  return { kind: 'undelivered', cause: `a file of the request cannot be read: ${String(error)}`, isOurs: true }
}
