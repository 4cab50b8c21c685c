/** Answers of AceData read into types, strictly: a key too many, too few or of another type fails the test. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import type { Answer, Ask, TestServer } from '../support/server.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const uuid = z.string().regex(UUID)
const videoId = z.string().regex(/^grok-imagine-video:[0-9a-f-]{36}$/)

const acceptedSchema = z.strictObject({ success: z.literal(true), task_id: uuid, trace_id: uuid })

const succeededSchema = z.strictObject({
  success: z.literal(true),
  task_id: uuid,
  trace_id: uuid,
  data: z.tuple([z.strictObject({ id: videoId, video_url: z.url(), state: z.literal('succeeded') })]),
})
export type Succeeded = z.infer<typeof succeededSchema>

const failedSchema = z.strictObject({
  success: z.literal(false),
  task_id: uuid,
  trace_id: uuid,
  error: z.strictObject({ code: z.string(), message: z.string() }),
})

const progressSchema = z.strictObject({
  task_id: uuid,
  trace_id: uuid,
  progress: z.int().min(0).max(100),
  data: z.tuple([z.strictObject({ id: videoId, state: z.literal('pending') })]),
})
export type ProgressLine = z.infer<typeof progressSchema>

const taskSchema = z.strictObject({
  id: uuid,
  request: z.record(z.string(), z.json()),
  type: z.literal('videos'),
  response: z.union([succeededSchema, failedSchema]).optional(),
  created_at: z.number(),
  finished_at: z.number().optional(),
  trace_id: uuid,
})
export type AcedataTask = z.infer<typeof taskSchema>

const refusalSchema = z.strictObject({
  success: z.literal(false),
  error: z.strictObject({ code: z.string(), message: z.string() }),
  trace_id: uuid,
})

/** One second of video: the cheapest that can be rendered. */
export const SHORT = { prompt: 'A kitten chases a butterfly', duration: 1, aspect_ratio: '1:1' }
export const SLOW = { prompt: 'sandbox:fail sandbox:slow=600', async: true }

export function succeededOf(answer: Answer): Succeeded {
  assert.equal(answer.status, 200, answer.text)
  return succeededSchema.parse(answer.body)
}

export function failedOf(answer: Answer, status: number): z.infer<typeof failedSchema> {
  assert.equal(answer.status, status, answer.text)
  return failedSchema.parse(answer.body)
}

export async function createAsync(
  server: TestServer,
  body: object,
  ask: Ask = {},
): Promise<{ id: string; trace: string }> {
  const answer = await server.ask('POST', '/grok/videos', { ...ask, body: { ...body, async: true } })
  assert.equal(answer.status, 200, answer.text)
  const { task_id, trace_id } = acceptedSchema.parse(answer.body)
  return { id: task_id, trace: trace_id }
}

/** Cancels what a test left running, so that the next one finds its slots; with Rivya, for AceData has no words for it. */
export async function cancel(server: TestServer, id: string, ask: Ask = {}): Promise<void> {
  const answer = await server.ask('POST', `/rivya/api/v1/generations/${id}/cancel`, ask)
  assert.equal(answer.status, 200, answer.text)
}

export async function retrieve(server: TestServer, id: string, ask: Ask = {}): Promise<AcedataTask> {
  const answer = await server.ask('POST', '/grok/tasks', { ...ask, body: { id } })
  assert.equal(answer.status, 200, answer.text)
  return taskSchema.parse(answer.body)
}

export async function retrieveBatch(server: TestServer, ids: readonly string[], ask: Ask = {}): Promise<AcedataTask[]> {
  const answer = await server.ask('POST', '/grok/tasks', { ...ask, body: { action: 'retrieve_batch', ids } })
  assert.equal(answer.status, 200, answer.text)
  const { items, count } = z.strictObject({ items: z.array(taskSchema), count: z.int() }).parse(answer.body)
  assert.equal(count, items.length)
  return items
}

/** Polls, as the vendor's SDK does, until there is a response. */
export function waitForResponse(server: TestServer, id: string, ask: Ask = {}): Promise<AcedataTask> {
  return waitFor(`${id} to have a response`, async () => {
    const task = await retrieve(server, id, ask)
    return task.response === undefined ? undefined : task
  })
}

/** Splits an NDJSON answer into its lines of progress and the last one. */
export function readLines(text: string): { progress: ProgressLine[]; last: unknown } {
  assert.ok(text.endsWith('\n'), text)
  const lines = text.slice(0, -1).split('\n')
  const last: unknown = JSON.parse(lines.pop() ?? '')
  return { progress: lines.map((line) => progressSchema.parse(JSON.parse(line))), last }
}

export function assertRefused(
  answer: Answer,
  expected: { readonly status: number; readonly code: string; readonly message: string | RegExp },
): void {
  assert.equal(answer.status, expected.status, answer.text)
  const { error, trace_id } = refusalSchema.parse(answer.body)
  assert.equal(error.code, expected.code, answer.text)
  if (typeof expected.message === 'string') assert.equal(error.message, expected.message)
  else assert.match(error.message, expected.message)
  assert.equal(`req_${trace_id.replaceAll('-', '')}`, answer.headers.get('x-request-id'))
  assert.ok(answer.text.length < 2_000, 'a refusal stays small, whatever was sent')
}
