/** What is read of grokimagineapi's answers, all of which are `{code, message, data}`. Source: the vendor's page. */
import { z } from 'zod'

/** `code` is an HTTP status, and outranks the one that the answer came with. */
export const envelope = z.object({ code: z.int(), message: z.string().nullish().catch(undefined).optional() })

/** The `data` of the answer to a poll. */
export const status = z.object({
  status: z.string(),
  error_message: z.string().nullish().catch(undefined).optional(),
})
