import type { GenerationRequest } from '../../canonical/generation.ts'
import type { FileToSend } from '../upstream/file-to-send.ts'
import type { FormPart } from '../upstream/form-body.ts'
import type { FrameSize } from '../upstream/frame-grid.ts'

/** A create's fields: all texts, `seconds` too, as the API documents. */
export type CreateFields = Readonly<Record<'model' | 'prompt' | 'seconds' | 'size', string>>

export interface CreateOptions {
  /** The server's own name of it, by default the request's. */
  readonly model: string | undefined
  /** Of the frame, in pixels. */
  readonly size: FrameSize
}

export function createFields(request: GenerationRequest, { model, size }: CreateOptions): CreateFields {
  return {
    model: model ?? request.model,
    prompt: request.prompt,
    seconds: String(request.durationSeconds),
    size: sizeText(size),
  }
}

export function sizeText({ width, height }: FrameSize): string {
  return `${width}x${height}`
}

/** The same as a form, with the picture to start from, if there is one. */
export function createForm(fields: CreateFields, picture: FileToSend | undefined): FormPart[] {
  const texts = Object.entries(fields).map(([name, text]) => ({ name, text }))
  if (picture === undefined) return texts
  const { mimeType, bytes } = picture
  const fileName = `picture.${mimeType.slice(mimeType.indexOf('/') + 1)}`
  return [...texts, { name: 'input_reference', fileName, mimeType, bytes }]
}
