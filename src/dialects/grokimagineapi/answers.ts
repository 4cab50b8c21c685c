/** What grokimagineapi answers look like: the OpenAPI document is made from these. */
import { z } from 'zod'

const success = { code: z.literal(200), message: z.literal('success') }

export const generated = z.strictObject({
  ...success,
  data: z.strictObject({ task_id: z.string().describe('task_ and 32 hex digits') }),
})

export const status = z.strictObject({
  ...success,
  data: z.strictObject({
    consumed_credits: z.int().nonnegative().describe('0 unless the video is there'),
    created_at: z.iso.datetime().describe('UTC, without milliseconds'),
    status: z.enum(['pending', 'processing', 'completed', 'failed']),
    task_id: z.string(),
    error_message: z.string().nullable().describe('How it failed, or when its video was deleted'),
    request: z.json().describe('The body as it was sent'),
    response: z.array(z.url()).describe('Links to the videos; they expire'),
  }),
})

export const error = z.strictObject({
  code: z.int().describe('The HTTP status'),
  message: z.string(),
  error: z.string().describe('A word such as INVALID_REQUEST'),
})
