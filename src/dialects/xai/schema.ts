/** xAI's video API: what the body of a generation looks like. Source: the vendor's API reference. */
import { z } from 'zod'
import { storableText } from '../read-input.ts'

/** The vendor's other names of a model. */
export const MODEL_ALIASES: ReadonlyMap<string, string> = new Map([
  ['grok-imagine-video-1.5-preview', 'grok-imagine-video-1.5'],
  ['grok-imagine-video-1.5-2026-05-30', 'grok-imagine-video-1.5'],
])

/**
 * Keys that are not documented are let pass on purpose: the vendor lets them pass, and its clients put whatever options
 * they are given into the body. What may stand in the parameters is the catalog's to say.
 */
export const generationBody = z.looseObject({
  model: z.string().default('grok-imagine-video'),
  prompt: storableText,
  duration: z.number().optional(),
  aspect_ratio: z.string().optional(),
  resolution: z.string().optional(),
  /** Every video has sound here, so only that can be asked for. */
  generate_audio: z.literal(true).optional(),
  /** Whom the caller makes it for; kept with the body, and of no effect. */
  user: storableText.optional(),
  /** Where the finished video is to be put, by HTTP PUT. */
  output: z.looseObject({ upload_url: z.string().optional() }).optional(),
})

const REFERENCES = 'reference files are'

/** Documented fields that cannot be honoured yet. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  image: REFERENCES,
  reference_images: REFERENCES,
  reference_audios: REFERENCES,
  last_frame: REFERENCES,
  keyframes: REFERENCES,
  storage_options: 'storing results as files of your own is',
}
