/** What is read of answers in the OpenAI Videos shape. Source: the API reference; SGLang-diffusion and vLLM-Omni agree. */
import { z } from 'zod'

const errorObject = z.object({ code: z.string().nullish(), message: z.string().nullish() })

export const video = z.object({
  status: z.string(),
  progress: z.unknown().optional(),
  /** SGLang gives no code; what is no object says nothing. */
  error: errorObject.nullish().catch(undefined),
})

/** A refusal: `{"error": {"message", "type", "param", "code"}}`. */
export const refusal = z.object({ error: errorObject })

/** How a server of the FastAPI kind (vLLM-Omni) answers JSON where it reads forms only: the prompt is not there. */
export const missingField = z.object({
  detail: z.array(z.object({ type: z.literal('missing'), loc: z.array(z.union([z.string(), z.number()])) })),
})

/** `GET /models`, which servers of this shape have for their other APIs. */
export const modelList = z.object({ data: z.array(z.object({ id: z.string() })) })
