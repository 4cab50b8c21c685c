import type { Reference } from '../../canonical/reference.ts'
import type { StartContext, StartOutcome } from '../provider.ts'
import { type FileToSend, fileToSend } from '../upstream/file-to-send.ts'
import { formBody } from '../upstream/form-body.ts'
import type { FrameSize } from '../upstream/frame-grid.ts'
import { unreadable } from '../upstream/reference-bytes.ts'
import { refusedStart } from '../upstream/refused-start.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { uploadedPicture } from './wire.ts'

export interface UploadPicture extends StartContext {
  readonly upstream: Upstream
  readonly reference: Reference
  /** What the graph makes its video in. */
  readonly frame: FrameSize
}

/**
 * Brings a picture into ComfyUI's input folder. Its name is its content's, so the same picture is one file there however
 * often it comes. Begins nothing. @returns its name for a LoadImage node, or why there is none.
 * @throws FetchError where there is no answer.
 */
export async function uploadPicture(upload: UploadPicture): Promise<string | StartOutcome> {
  const { upstream, reference, frame, token, credential, openReference, signal } = upload
  let picture: FileToSend
  try {
    picture = await fileToSend(reference, openReference, { frame })
  } catch (error) {
    return unreadable(error)
  }
  const { mimeType, sha256, bytes } = picture
  const fileName = `reelay-${sha256}.${mimeType.slice(mimeType.indexOf('/') + 1)}`
  const { contentType, body } = formBody(
    [
      { name: 'overwrite', text: 'true' },
      { name: 'image', fileName, mimeType, bytes },
    ],
    token,
  )
  const headers = { 'content-type': contentType }
  const answer = await upstream.read({ method: 'POST', path: '/upload/image', headers, body, credential, signal })
  if (answer.status !== 200) return refusedStart(answer)
  const parsed = uploadedPicture.safeParse(answer.json)
  if (!parsed.success) return { kind: 'ambiguous', cause: `an upload was answered ${answer.shown}` }
  const { name, subfolder } = parsed.data
  return subfolder === '' ? name : `${subfolder}/${name}`
}
