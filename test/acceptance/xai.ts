/** Answers of the xAI API read into types, strictly: a key too many, too few or of another type fails the test. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import type { Answer, Ask, TestServer } from '../support/server.ts'

export const GENERATIONS = '/v1/videos/generations'

const created = z.strictObject({ request_id: z.uuid() })

const usage = z.strictObject({ cost_in_usd_ticks: z.int().nonnegative() })
const video = z.strictObject({ url: z.string(), duration: z.int().nonnegative(), respect_moderation: z.boolean() })
const error = z.strictObject({ code: z.string(), message: z.string() })

const status = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('pending'), progress: z.int().min(0).max(100) }),
  z.strictObject({ status: z.literal('done'), video, model: z.string(), usage, progress: z.literal(100) }),
  z.strictObject({ status: z.literal('failed'), error, video, model: z.string() }),
  z.strictObject({
    status: z.literal('expired'),
    error: error.optional(),
    model: z.string().optional(),
    usage: usage.optional(),
  }),
])
export type XaiStatus = z.infer<typeof status>

const refusal = z.strictObject({ code: z.string(), error: z.string() })

/** A body that costs no rendering, should it be accepted against all expectation. */
export const CHEAP = { model: 'grok-imagine-video', prompt: 'sandbox:fail' }

/** A video that stays where a provider has it for ten minutes. */
export const SLOW = { model: 'grok-imagine-video', prompt: 'sandbox:fail sandbox:slow=600' }

export function requestIdOf(answer: Answer): string {
  assert.equal(answer.status, 200, answer.text)
  return created.parse(answer.body).request_id
}

export async function generate(server: TestServer, body: unknown = CHEAP, ask: Ask = {}): Promise<string> {
  return requestIdOf(await server.ask('POST', GENERATIONS, { ...ask, body }))
}

/** A status, with the HTTP status that is documented for it. */
export function statusOf(answer: Answer): XaiStatus {
  const read = status.parse(answer.body)
  assert.equal(answer.status, read.status === 'pending' ? 202 : 200)
  return read
}

export async function readStatus(server: TestServer, id: string, ask: Ask = {}): Promise<XaiStatus> {
  return statusOf(await server.ask('GET', `/v1/videos/${id}`, ask))
}

/** Polls, as a customer does, until the video is made or is not going to be. */
export function waitForEnd(server: TestServer, id: string, ask: Ask = {}): Promise<XaiStatus> {
  return waitFor(`${id} to end`, async (seen) => {
    const read = await readStatus(server, id, ask)
    seen(read)
    return read.status === 'pending' ? undefined : read
  })
}

/** The same task's id as the Rivya dialect has it. */
export function taskIdOf(requestId: string): string {
  return `task_${requestId.replaceAll('-', '')}`
}

export interface ExpectedRefusal {
  readonly status: number
  readonly code: string
  /** Each has to stand in the message: the field, the value, what is allowed. */
  readonly says: readonly (string | RegExp)[]
}

/** Checks what every refusal has: status, code, a sentence, a request id, and nothing of our inside. */
export function assertRefused(answer: Answer, expected: ExpectedRefusal): void {
  assert.equal(answer.status, expected.status, answer.text)
  const body = refusal.parse(answer.body)
  assert.equal(body.code, expected.code, answer.text)
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/)
  for (const part of expected.says) {
    if (typeof part === 'string') assert.ok(body.error.includes(part), `"${body.error}" does not say "${part}"`)
    else assert.match(body.error, part)
  }
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|\bat \S+ \(|rly_live_[A-Za-z0-9_-]{6}/)
  assert.ok(answer.text.length < 2_000, 'a refusal stays small, whatever was sent')
}
