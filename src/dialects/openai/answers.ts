/** What the OpenAI Videos dialect answers look like: the OpenAPI document is made from these. */
import { z } from 'zod'

const unixSeconds = z.int().nonnegative().describe('Unix seconds')

export const video = z.strictObject({
  id: z.string().describe('video_ and 32 hex digits'),
  object: z.literal('video'),
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  progress: z.int().min(0).max(100),
  model: z.string(),
  created_at: unixSeconds,
  completed_at: unixSeconds.nullable(),
  expires_at: unixSeconds.nullable().describe('When its files are deleted, or were'),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  prompt: z.string(),
  remixed_from_video_id: z.string().nullable().describe('The video of yours that was edited'),
  seconds: z.string().describe('Of an extension, with its source'),
  size: z.string(),
})

export const videoList = z.strictObject({
  object: z.literal('list'),
  data: z.array(video),
  first_id: z.string().nullable(),
  last_id: z.string().nullable().describe('Give it as after to read on'),
  has_more: z.boolean(),
})

export const deletedVideo = z.strictObject({
  id: z.string(),
  deleted: z.literal(true),
  object: z.literal('video.deleted'),
})

export const model = z.strictObject({
  id: z.string(),
  object: z.literal('model'),
  created: unixSeconds.describe('Unknown, so 0'),
  owned_by: z.string(),
})

export const modelList = z.strictObject({ object: z.literal('list'), data: z.array(model) })

export const error = z.strictObject({
  error: z.strictObject({
    message: z.string().describe('Names the field, the value and what is allowed'),
    type: z.enum(['invalid_request_error', 'insufficient_quota', 'rate_limit_error', 'server_error']),
    param: z.string().nullable().describe('The field that is wrong'),
    code: z.string(),
  }),
})
