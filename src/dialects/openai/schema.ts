/** The OpenAI Videos API: what its bodies and queries look like. Source: the API reference and the client `openai` 6. */
import { z } from 'zod'
import { endUser } from '../end-user.ts'
import { formFile } from '../form-file.ts'
import { pageLimit } from '../page-limit.ts'
import { storableText } from '../read-input.ts'

/** `user` is documented for the vendor's other APIs, and sent to this one by LiteLLM. */
const everyBody = z.strictObject({
  prompt: storableText,
  model: z.string().default('grok-imagine-video'),
  user: endUser.optional(),
})

/** Documented as a text, which it is in forms; typed languages write a number. */
const seconds = z.union([z.string(), z.number().transform(String)], { error: 'a text or a number' }).optional()

const createFields = everyBody.extend({ seconds, size: z.string().optional() })

const pictureByName = z.union([z.strictObject({ image_url: z.string() }), z.strictObject({ file_id: z.string() })], {
  error: 'a file in a form, or an object with either image_url or file_id, a text',
})

export const createBody = createFields.extend({ input_reference: pictureByName.optional() })

/** Forms write the members of an object as fields of their own. */
export const createForm = createFields.extend({
  input_reference: formFile.optional(),
  'input_reference[image_url]': z.string().optional(),
  'input_reference[file_id]': z.string().optional(),
})

export const remixBody = everyBody

const videoById = z.strictObject({ id: z.string() })

export const editBody = everyBody.extend({ video: videoById })

export const editForm = everyBody.extend({ video: formFile.optional(), 'video[id]': z.string().optional() })

/** `seconds` is the length of what is added. Documented as required; the catalog has a default for those who leave it out. */
export const extensionBody = editBody.extend({ seconds })

export const extensionForm = editForm.extend({ seconds })

export const listQuery = z.strictObject({
  limit: pageLimit,
  order: z.enum(['asc', 'desc']).default('desc'),
  /** The last video of the page before. */
  after: z.string().optional(),
})

export const contentQuery = z.strictObject({
  variant: z.enum(['video', 'thumbnail', 'spritesheet']).default('video'),
})
export type Variant = z.infer<typeof contentQuery>['variant']
