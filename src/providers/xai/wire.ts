/** What is read of xAI's answers. Source: the vendor's API reference. */
import { z } from 'zod'
import { jobId } from '../upstream/job-operation.ts'

/** The answer to a create. */
export const created = z.object({ request_id: jobId })

const told = z.string().nullish().catch(undefined).optional()

export const status = z.object({
  status: z.string(),
  progress: z.unknown().optional(),
  /** There is one in failed and moderated answers too; its `url` may be empty. */
  video: z.object({ url: told, respect_moderation: z.boolean().nullish() }).nullish(),
  error: z.object({ code: told, message: told }).nullish().catch(undefined).optional(),
})
export type XaiStatus = z.infer<typeof status>

/** A refusal, of a create or of a poll: `{"code": "invalid-argument", "error": "…"}`. */
export const refusal = z.object({ code: told, error: z.string() })
