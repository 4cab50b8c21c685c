import type { GenerationRequest } from '../../canonical/generation.ts'
import type { JsonObject } from '../../canonical/json.ts'

/** A picture as the Files API took it. */
export interface UploadedPicture {
  readonly url: string
  readonly mimeType: string
}

export interface CreateOptions {
  readonly model: string
  readonly token: string
  readonly picture: UploadedPicture | undefined
}

/** The body of a create. `client_request_id` only helps to find the job in the vendor's console. */
export function createBody(request: GenerationRequest, { model, token, picture }: CreateOptions): JsonObject {
  const { mode, durationSeconds, resolution, aspectRatio, prompt } = request
  const item = picture && { url: picture.url, kind: 'image', mimeType: picture.mimeType }
  return {
    model,
    prompt,
    params: {
      mode,
      duration: durationSeconds,
      resolution,
      aspect_ratio: aspectRatio,
      ...(item === undefined ? {} : { referenceMediaItems: [item] }),
    },
    client_request_id: token,
  }
}
