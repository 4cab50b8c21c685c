/** What is read of grokimagineapi's answers, all of which are `{code, message, data}`. Source: the vendor's page. */
import { z } from 'zod'
import { jobId } from '../upstream/job-operation.ts'

/** `code` is an HTTP status, and outranks the one that the answer came with. */
export const envelope = z.object({ code: z.int(), message: z.string().nullish().catch(undefined).optional() })

/** The answer to a create. */
export const created = z.object({ code: z.literal(200), data: z.object({ task_id: jobId }) })

export const status = z.object({
  code: z.literal(200),
  data: z.object({
    status: z.string(),
    error_message: z.string().nullish().catch(undefined).optional(),
    response: z.array(z.string()).nullish().catch(undefined).optional(),
  }),
})
