import type { GenerationRequest } from '../../canonical/generation.ts'
import type { Reference } from '../../canonical/reference.ts'
import type { OpenReference, StartOutcome } from '../provider.ts'

/** As the catalog takes pictures. A start holds one or a few of them in memory, as bytes and as what is sent. */
export const MAX_PICTURE_BYTES = 20 * 1024 * 1024

/** The bytes of a picture. @throws Error where there are more of them than a picture has, or than its record says. */
export async function referenceBytes(reference: Reference, openReference: OpenReference): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of await openReference(reference)) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('a file is bytes')
    bytes += chunk.length
    if (bytes > Math.min(MAX_PICTURE_BYTES, reference.sizeBytes)) break
    chunks.push(chunk)
  }
  if (bytes !== reference.sizeBytes)
    throw new Error(`${reference.fileId} does not have the ${reference.sizeBytes} bytes that its record says`)
  return Buffer.concat(chunks)
}

/** `data:image/png;base64,…` (RFC 2397). */
export async function referenceDataUri(reference: Reference, openReference: OpenReference): Promise<string> {
  return `data:${reference.mimeType};base64,${(await referenceBytes(reference, openReference)).toString('base64')}`
}

/** A file of a request, and what is sent of it. */
export interface SentFile {
  readonly reference: Reference
  /** Of the kind `data:`. */
  readonly url: string
}

/** The files of a request as an upstream gets them in JSON, in their order. @throws Error where one cannot be read. */
export async function filesToSend(
  { references }: Pick<GenerationRequest, 'references'>,
  openReference: OpenReference,
): Promise<SentFile[]> {
  const files: SentFile[] = []
  for (const reference of references) files.push({ reference, url: await referenceDataUri(reference, openReference) })
  return files
}

/** What a start came to whose files could not be read. */
export function unreadable(error: unknown): Extract<StartOutcome, { kind: 'undelivered' }> {
  return { kind: 'undelivered', cause: `a file of the request cannot be read: ${String(error)}`, isOurs: true }
}
