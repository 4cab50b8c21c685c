/** What is read of xAI's answers. Source: the vendor's API reference. */
import { z } from 'zod'

const told = z.string().nullish().catch(undefined).optional()

export const status = z.object({
  status: z.string(),
  progress: z.unknown().optional(),
  /** There is one in failed and moderated answers too; its `url` may be empty. */
  video: z.object({ respect_moderation: z.boolean().nullish() }).nullish().catch(undefined).optional(),
  error: z.object({ code: told, message: told }).nullish().catch(undefined).optional(),
})
export type XaiStatus = z.infer<typeof status>

/** A refusal, of a create or of a poll: `{"code": "invalid-argument", "error": "…"}`. */
export const refusal = z.object({ code: told, error: z.string() })
