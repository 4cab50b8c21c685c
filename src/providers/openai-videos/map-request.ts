import { frameSize, type GenerationRequest } from '../../canonical/generation.ts'
import type { Reference } from '../../canonical/reference.ts'
import type { FormPart } from '../upstream/form-body.ts'

/** A create's fields: all texts, `seconds` too, as the API documents. */
export type CreateFields = Readonly<Record<'model' | 'prompt' | 'seconds' | 'size', string>>

/** `model`: the server's own name of it, by default the request's. */
export function createFields(request: GenerationRequest, model: string | undefined): CreateFields {
  const { width, height } = frameSize(request)
  return {
    model: model ?? request.model,
    prompt: request.prompt,
    seconds: String(request.durationSeconds),
    size: `${width}x${height}`,
  }
}

/** The picture to start from. */
export interface Picture {
  readonly reference: Reference
  readonly bytes: Buffer
}

/** The same as a form, with the picture, if there is one. */
export function createForm(fields: CreateFields, picture: Picture | undefined): FormPart[] {
  const texts = Object.entries(fields).map(([name, text]) => ({ name, text }))
  if (picture === undefined) return texts
  const { mimeType } = picture.reference
  const fileName = `picture.${mimeType.slice(mimeType.indexOf('/') + 1)}`
  return [...texts, { name: 'input_reference', fileName, mimeType, bytes: picture.bytes }]
}
