/** What is read of AceData's answers. Source: the vendor's API reference. */
import { z } from 'zod'

const told = z.string().nullish().catch(undefined).optional()

/** A refusal, with any status, 200 too: `{"success": false, "error": {"code", "message"}, "trace_id"}`. */
export const refusal = z.object({ success: z.literal(false).optional(), error: z.object({ code: z.string() }) })

/** A task: `response` is there once it is over. */
export const task = z.object({
  id: z.string(),
  response: z
    .object({
      success: z.boolean().nullish(),
      error: z.object({ code: told, message: told }).nullish().catch(undefined).optional(),
      data: z.array(z.object({ state: told })).nullish(),
    })
    .nullish(),
})
export type AcedataResponse = NonNullable<z.infer<typeof task>['response']>
