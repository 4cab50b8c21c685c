/** grokimagineapi.com: what its bodies and queries look like. Source: the vendor's API documentation. */
import { z } from 'zod'
import { storableText } from '../read-input.ts'

/**
 * Values of `mode` and `ratio` are the catalog's affair. The documentation's table calls `images` a text, its example
 * shows a list: both are taken.
 */
export const generateBody = z.strictObject({
  mode: z.string().optional(),
  prompt: storableText,
  images: z.union([z.string(), z.array(z.string())], { error: 'a URL or a list of URLs' }).optional(),
  ratio: z.string().optional(),
})

export const statusQuery = z.strictObject({ task_id: z.string() })
