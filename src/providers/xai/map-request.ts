import type { GenerationRequest } from '../../canonical/generation.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { ReferenceRole } from '../../canonical/reference.ts'
import type { SentFile } from '../upstream/file-to-send.ts'

/** Where each kind of job is begun. */
export const CREATE_PATHS: Readonly<Record<GenerationRequest['operation'], string>> = {
  generate: '/videos/generations',
  edit: '/videos/edits',
  extend: '/videos/extensions',
}

/** The body of a create. A ratio is left out where the video has that of its picture, which is what that means there. */
export function createBody(request: GenerationRequest, files: readonly SentFile[], model: string): JsonObject {
  const withRole = (role: ReferenceRole) =>
    files.filter(({ reference }) => reference.role === role).map(({ url }): JsonObject => ({ url }))
  const prompt = { model, ...(request.prompt === '' ? {} : { prompt: request.prompt }) }
  const [source] = withRole('source')
  if (request.operation !== 'generate') {
    if (source === undefined) throw new Error(`an ${request.operation} has a source`)
    const duration = request.operation === 'extend' ? { duration: request.durationSeconds } : {}
    return { ...prompt, ...duration, video: source }
  }
  const [firstFrame] = withRole('firstFrame')
  const [lastFrame] = withRole('lastFrame')
  const references = withRole('reference')
  return {
    ...prompt,
    duration: request.durationSeconds,
    resolution: request.resolution,
    ...(request.aspectRatio === 'source' ? {} : { aspect_ratio: request.aspectRatio }),
    ...(firstFrame === undefined ? {} : { image: firstFrame }),
    ...(lastFrame === undefined ? {} : { last_frame: lastFrame }),
    ...(references.length === 0 ? {} : { reference_images: references }),
  }
}
