/** Answers of grokimagineapi read into types, strictly: a key too many, too few or of another type fails the test. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import type { Answer, Ask, TestServer } from '../support/server.ts'

const generatedSchema = z.strictObject({
  code: z.literal(200),
  message: z.literal('success'),
  data: z.strictObject({ task_id: z.string().regex(/^task_[0-9a-f]{32}$/) }),
})

const statusSchema = z.strictObject({
  code: z.literal(200),
  message: z.literal('success'),
  data: z.strictObject({
    consumed_credits: z.int().nonnegative(),
    created_at: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    status: z.enum(['pending', 'processing', 'completed', 'failed']),
    task_id: z.string(),
    error_message: z.string().nullable(),
    request: z.record(z.string(), z.json()),
    response: z.array(z.url()),
  }),
})
export type Status = z.infer<typeof statusSchema>['data']

const refusalSchema = z.strictObject({ code: z.int(), message: z.string(), error: z.string() })

/** Creates a task and gives its id. */
export async function generate(server: TestServer, body: unknown, ask: Ask = {}): Promise<string> {
  const answer = await server.ask('POST', '/v1/generate', { ...ask, body })
  assert.equal(answer.status, 200, answer.text)
  return generatedSchema.parse(answer.body).data.task_id
}

export async function statusOf(server: TestServer, id: string, ask: Ask = {}): Promise<Status> {
  const answer = await server.ask('GET', `/v1/status?task_id=${id}`, ask)
  assert.equal(answer.status, 200, answer.text)
  return statusSchema.parse(answer.body).data
}

/** Polls, as a customer does, until the task has ended. */
export function waitForEnd(server: TestServer, id: string, ask: Ask = {}): Promise<Status> {
  return waitFor(`${id} to end`, async (seen) => {
    const status = await statusOf(server, id, ask)
    seen(status)
    return status.status === 'completed' || status.status === 'failed' ? status : undefined
  })
}

export function assertRefused(
  answer: Answer,
  expected: { readonly status: number; readonly error: string; readonly message: string | RegExp },
): void {
  assert.equal(answer.status, expected.status, answer.text)
  const { code, message, error } = refusalSchema.parse(answer.body)
  assert.deepEqual([code, error], [expected.status, expected.error], answer.text)
  if (typeof expected.message === 'string') assert.equal(message, expected.message)
  else assert.match(message, expected.message)
  assert.ok(answer.text.length < 2_000, 'a refusal stays small, whatever was sent')
}
