/** AceData Cloud, Grok: what its bodies look like. Source: the vendor's API reference, but where marked as ours. */
import { z } from 'zod'
import { MAX_URL_CHARACTERS } from '../../canonical/url-limit.ts'
import { storableText } from '../read-input.ts'

/** Ours: the vendor names no most. A page of a hundred tasks answers at once. */
export const MAX_BATCH = 100

/** Values of the model's own parameters are the catalog's affair. */
export const videosBody = z.strictObject({
  /** Required for text-to-video, optional with `image_url`. */
  prompt: storableText.optional(),
  model: z.string().default('grok-imagine-video'),
  /** An https URL or a data URI, as are the others. */
  image_url: z.string().optional(),
  reference_image_urls: z.array(z.string()).optional(),
  aspect_ratio: z.string().optional(),
  resolution: z.string().optional(),
  duration: z.number().optional(),
  callback_url: z.string().meta({ maxLength: MAX_URL_CHARACTERS }).optional(),
  async: z.boolean().optional(),
})

export const tasksBody = z.strictObject({
  action: z.enum(['retrieve', 'retrieve_batch']).default('retrieve'),
  id: z.string().optional(),
  ids: z.array(z.string()).meta({ minItems: 1, maxItems: MAX_BATCH }).optional(),
})
