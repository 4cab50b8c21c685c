import type { Reference } from '../../canonical/reference.ts'
import { BlamelessError, type StartContext, type StartOutcome } from '../provider.ts'
import { type FileToSend, fileToSend } from '../upstream/file-to-send.ts'
import { formBody } from '../upstream/form-body.ts'
import { unreadable } from '../upstream/reference-bytes.ts'
import { refusedStart } from '../upstream/refused-start.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { MAX_PICTURE_BYTES } from './takes-request.ts'
import { uploaded } from './wire.ts'

/** A link to the picture, or why no job can be asked for; what was never asked for runs nowhere. */
export type PictureUpload = { readonly url: string; readonly mimeType: string } | { readonly outcome: StartOutcome }

/**
 * Brings a picture to the vendor's Files API, which makes no job and bills nothing: whatever happens here, no job was
 * asked for, so nothing is ambiguous. @throws BlamelessError where the key is missing that the start is to be made with.
 */
export async function uploadPicture(
  reference: Reference,
  { upstream, model, context }: { readonly upstream: Upstream; readonly model: string; readonly context: StartContext },
): Promise<PictureUpload> {
  const { token, credential, signal, openReference } = context
  let picture: FileToSend
  try {
    picture = await fileToSend(reference, openReference, { maxBytes: MAX_PICTURE_BYTES })
  } catch (error) {
    return { outcome: unreadable(error) }
  }
  try {
    const { mimeType, bytes } = picture
    const fileName = `picture.${mimeType.slice(mimeType.indexOf('/') + 1)}`
    const { contentType, body } = formBody(
      [
        { name: 'kind', text: 'image' },
        { name: 'model', text: model },
        { name: 'client_request_id', text: token },
        { name: 'file', fileName, mimeType, bytes },
      ],
      token,
    )
    const headers = { 'content-type': contentType }
    const answer = await upstream.read({ method: 'POST', path: '/api/v1/files', headers, body, credential, signal })
    if (answer.status >= 200 && answer.status <= 299) {
      const file = uploaded.safeParse(answer.json).data
      if (file !== undefined) return { url: file.url, mimeType }
      return undeliverable(`the upload was answered without a link: ${answer.shown}`)
    }
    const outcome = refusedStart(answer)
    return outcome.kind === 'rejected' ? { outcome } : undeliverable(`HTTP ${answer.status}: ${answer.shown}`)
  } catch (error) {
    if (error instanceof BlamelessError) throw error
    return undeliverable(String(error))
  }
}

function undeliverable(why: string): PictureUpload {
  return { outcome: { kind: 'undelivered', cause: `the picture could not be brought: ${why}` } }
}
