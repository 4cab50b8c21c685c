/** What is read of the answers of stable-diffusion.cpp's server. Source: `examples/server/api.md` there. */
import { z } from 'zod'

export const job = z.object({
  status: z.string(),
  result: z.object({ b64_json: z.string() }).nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish().catch(undefined),
})

/** What the loaded model can do. */
export const capabilities = z.object({ supported_modes: z.array(z.string()) })
