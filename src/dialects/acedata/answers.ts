/** What AceData answers look like: the OpenAPI document is made from these. */
import { z } from 'zod'

const id = z.uuid()
const reason = z.strictObject({ code: z.string(), message: z.string() })

const accepted = z
  .strictObject({ success: z.literal(true), task_id: id, trace_id: id })
  .describe('At once, with async or callback_url')

const succeeded = z.strictObject({
  success: z.literal(true),
  task_id: id,
  trace_id: id,
  data: z.array(
    z.strictObject({
      id: z.string(),
      video_url: z.url().optional().describe('Expires; absent once the video is deleted'),
      state: z.literal('succeeded'),
      message: z.string().optional().describe('When the video was deleted, once it is'),
    }),
  ),
})

const failed = z
  .strictObject({ success: z.literal(false), task_id: id, trace_id: id, error: reason })
  .describe('With status 200 only if it failed after the answer had begun')

export const video = z.union([succeeded, accepted, failed])

const task = z.strictObject({
  id,
  request: z.json().describe('The original body'),
  type: z.literal('videos'),
  response: z.union([succeeded, failed]).optional().describe('The sync answer; absent until the task has ended'),
  created_at: z.number().describe('Seconds of the Unix epoch'),
  finished_at: z.number().optional(),
  trace_id: id,
})

export const tasks = z.union([
  task,
  z.strictObject({ items: z.array(task), count: z.int() }).describe('Of retrieve_batch'),
])

export const error = z.strictObject({
  success: z.literal(false),
  task_id: id.optional().describe('Where a task goes on that the server has lost sight of'),
  error: reason,
  trace_id: id.describe('Of this request, as in the log'),
})
