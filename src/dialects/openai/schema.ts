/** The OpenAI Videos API: what its bodies and queries look like. Source: the API reference and the client `openai` 6. */
import { z } from 'zod'
import { storableText } from '../read-input.ts'

/** Page sizes of the list, as documented. */
const MAX_PAGE = 100
const DEFAULT_PAGE = 20

/** All texts, `seconds` too: forms have nothing else, and the documentation says so of JSON. */
export const createBody = z.strictObject({
  prompt: storableText,
  model: z.string().default('grok-imagine-video'),
  seconds: z.string().optional(),
  size: z.string().optional(),
})

const REFERENCES = 'reference files are'

/** Documented fields that cannot be honoured yet, also as forms write their members. */
export const NOT_OFFERED: Readonly<Record<string, string>> = {
  input_reference: REFERENCES,
  'input_reference[image_url]': REFERENCES,
  'input_reference[file_id]': REFERENCES,
}

export const listQuery = z.strictObject({
  limit: z
    .string()
    .refine((text) => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_PAGE, {
      error: `a whole number from 1 to ${MAX_PAGE}`,
    })
    .transform(Number)
    .default(DEFAULT_PAGE),
  order: z.enum(['asc', 'desc']).default('desc'),
  /** The last video of the page before. */
  after: z.string().optional(),
})

export const contentQuery = z.strictObject({
  variant: z.enum(['video', 'thumbnail', 'spritesheet']).default('video'),
})
export type Variant = z.infer<typeof contentQuery>['variant']
