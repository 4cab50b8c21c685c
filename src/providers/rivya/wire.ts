/** What is read of Rivya's answers. Source: the documentation of its public API v1. */
import { z } from 'zod'

const told = z.string().nullish().catch(undefined).optional()

export const task = z.object({
  status: z.string(),
  error: z.object({ code: told, message: told }).nullish().catch(undefined).optional(),
})
export type RivyaTask = z.infer<typeof task>

/** The answer to an upload; what it gives has to stand in the create as it is. */
export const uploaded = z.object({ url: z.string().min(1), duration_token: told })

/** A refusal: `{"error": {"code", "message", "requestId"}}`. */
export const refusal = z.object({ error: z.object({ code: z.string() }) })

/** The catalog. */
export const modelList = z.object({ data: z.array(z.object({ id: z.string() })) })

export const credits = z.object({ current_credits: z.number() })
