import type { GenerationRequest } from '../../canonical/generation.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { SentFile } from '../upstream/file-to-send.ts'

/** The body of a create that does not wait. A ratio is left out where the video has that of its picture. */
export function createBody(request: GenerationRequest, pictures: readonly SentFile[], model: string): JsonObject {
  const { prompt, aspectRatio, resolution, durationSeconds } = request
  const firstFrame = pictures.find(({ reference }) => reference.role === 'firstFrame')?.url
  const references = pictures.filter(({ reference }) => reference.role === 'reference').map(({ url }) => url)
  return {
    model,
    ...(prompt === '' ? {} : { prompt }),
    ...(firstFrame === undefined ? {} : { image_url: firstFrame }),
    ...(references.length === 0 ? {} : { reference_image_urls: references }),
    ...(aspectRatio === 'source' ? {} : { aspect_ratio: aspectRatio }),
    resolution,
    duration: durationSeconds,
    async: true,
  }
}
