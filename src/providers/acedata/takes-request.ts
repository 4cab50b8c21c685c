import type { GenerationRequest } from '../../canonical/generation.ts'
import { MAX_PICTURE_BYTES } from '../upstream/reference-bytes.ts'

const MODEL = 'grok-imagine-video'
/** Only animates pictures (documented). */
const PICTURE_MODEL = 'grok-imagine-video-1.5-preview'

/** Not documented; those of the model behind it. */
const MAX_REFERENCES = 7
const MAX_REFERENCE_SECONDS = 10
const MAX_PROMPT_CHARACTERS = 5_000

const PICTURES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp']

/** What the vendor documents beside lengths, resolutions, ratios and modes. */
export function takesRequest(request: GenerationRequest, model: string): boolean {
  const { references, prompt, durationSeconds, aspectRatio } = request
  const count = (role: string) => references.filter((reference) => reference.role === role).length
  const first = count('firstFrame')
  const others = count('reference')
  if (!Number.isInteger(durationSeconds) || [...prompt].length > MAX_PROMPT_CHARACTERS) return false
  if (
    references.length === 0 ? prompt === '' || aspectRatio === 'source' : references.length !== Math.max(first, others)
  )
    return false
  if (references.some(({ mimeType, sizeBytes }) => !PICTURES.includes(mimeType) || sizeBytes > MAX_PICTURE_BYTES))
    return false
  if (model === PICTURE_MODEL) return first === 1
  if (model !== MODEL || first > 1 || others > MAX_REFERENCES) return false
  return others === 0 || durationSeconds <= MAX_REFERENCE_SECONDS
}
