/** What the xAI dialect answers look like: the OpenAPI document is made from these. */
import { z } from 'zod'

const usage = z.strictObject({ cost_in_usd_ticks: z.int().nonnegative().describe('10^10 ticks are 1 USD') })

const video = z.strictObject({
  url: z.string().describe('Works for a day; empty where there is no video'),
  duration: z.int().nonnegative().describe('Seconds, to the nearest; of an extension, with its source'),
  respect_moderation: z.boolean().describe('False if a content policy refused the video'),
})

const failure = z.strictObject({
  code: z.enum([
    'invalid_argument',
    'permission_denied',
    'failed_precondition',
    'service_unavailable',
    'internal_error',
  ]),
  message: z.string(),
})

export const created = z.strictObject({ request_id: z.uuid() })

export const pending = z.strictObject({ status: z.literal('pending'), progress: z.int().min(0).max(100) })

export const ended = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('done'), video, model: z.string(), usage, progress: z.literal(100) }),
  z.strictObject({ status: z.literal('failed'), error: failure, video, model: z.string() }),
  z
    .strictObject({
      status: z.literal('expired'),
      error: failure.optional(),
      model: z.string().optional(),
      usage: usage.optional(),
    })
    .describe('Given up, or, with an error that says when, deleted at the end of its time in storage'),
])

export const error = z.strictObject({
  code: z.string(),
  error: z.string().describe('Names the field, the value and what is allowed'),
})
