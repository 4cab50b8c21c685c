import type { GenerationRequest } from '../../canonical/generation.ts'

/** The one model whose parameters this adapter knows; those of the vendor's others have other names. */
const MODEL = 'grok-imagine-video'

const MAX_PROMPT_CHARACTERS = 5_000
export const MAX_PICTURE_BYTES = 10 * 1024 * 1024
const PICTURES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp']

/** What the vendor's page of the model documents beside lengths, resolutions and ratios. */
export function takesRequest({ prompt, mode, durationSeconds, references }: GenerationRequest, model: string): boolean {
  return (
    model === MODEL &&
    Number.isInteger(durationSeconds) &&
    prompt !== '' &&
    [...prompt].length <= MAX_PROMPT_CHARACTERS &&
    references.length <= 1 &&
    // The model behind it refuses that, and bills nobody, but late.
    !(mode === 'spicy' && references.length > 0) &&
    references.every(
      ({ kind, mimeType, sizeBytes }) =>
        kind === 'image' && PICTURES.includes(mimeType) && sizeBytes <= MAX_PICTURE_BYTES,
    )
  )
}
