/** Answers of the OpenAI Videos API read into types, strictly: a key too many, too few or of another type fails the test. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import type { Answer, Ask, TestServer } from '../support/server.ts'

export const VIDEOS = '/openai/v1/videos'

const videoId = z.string().regex(/^video_[0-9a-f]{32}$/)
const unixSeconds = z.int().min(1_700_000_000).max(4_000_000_000)

const video = z.strictObject({
  id: videoId,
  object: z.literal('video'),
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  progress: z.int().min(0).max(100),
  model: z.string(),
  created_at: unixSeconds,
  completed_at: unixSeconds.nullable(),
  expires_at: unixSeconds.nullable(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  prompt: z.string(),
  remixed_from_video_id: videoId.nullable(),
  seconds: z.string().regex(/^\d{1,2}(\.\d{1,3})?$/),
  size: z.string().regex(/^\d{2,4}x\d{2,4}$/),
})
export type Video = z.infer<typeof video>

const page = z.strictObject({
  object: z.literal('list'),
  data: z.array(video),
  first_id: videoId.nullable(),
  last_id: videoId.nullable(),
  has_more: z.boolean(),
})

const deleted = z.strictObject({ id: videoId, deleted: z.literal(true), object: z.literal('video.deleted') })

const refusal = z.strictObject({
  error: z.strictObject({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
})

/** A body that costs no rendering, should it be accepted against all expectation. */
export const CHEAP = { prompt: 'sandbox:fail' }

/** A video that stays where a provider has it for ten minutes. */
export const SLOW = { prompt: 'sandbox:fail sandbox:slow=600' }

export function videoOf(answer: Answer): Video {
  assert.equal(answer.status, 200, answer.text)
  return video.parse(answer.body)
}

export function pageOf(answer: Answer): z.infer<typeof page> {
  assert.equal(answer.status, 200, answer.text)
  return page.parse(answer.body)
}

export function deletedOf(answer: Answer): z.infer<typeof deleted> {
  assert.equal(answer.status, 200, answer.text)
  return deleted.parse(answer.body)
}

export async function create(server: TestServer, body: unknown = CHEAP, ask: Ask = {}): Promise<Video> {
  return videoOf(await server.ask('POST', VIDEOS, { ...ask, body }))
}

export async function get(server: TestServer, id: string, ask: Ask = {}): Promise<Video> {
  return videoOf(await server.ask('GET', `${VIDEOS}/${id}`, ask))
}

/** Polls, as a customer does, until the video is made or is not going to be. */
export function waitForEnd(server: TestServer, id: string, ask: Ask = {}): Promise<Video> {
  return waitFor(`${id} to end`, async (seen) => {
    const read = await get(server, id, ask)
    seen(read.status, read.progress)
    return read.status === 'completed' || read.status === 'failed' ? read : undefined
  })
}

export async function remove(server: TestServer, id: string, ask: Ask = {}): Promise<void> {
  assert.equal(deletedOf(await server.ask('DELETE', `${VIDEOS}/${id}`, ask)).id, id)
}

/** A form, as bytes and the header that goes with them. A value with a `filename` is sent as a file. */
export function form(
  fields: Readonly<Record<string, string | { readonly filename: string; readonly bytes: number }>>,
): Required<Pick<Ask, 'body' | 'headers'>> {
  const boundary = 'reelay-test-boundary'
  const parts = Object.entries(fields).map(([name, value]) => {
    if (typeof value === 'string')
      return `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
    const disposition = `form-data; name="${name}"; filename="${value.filename}"`
    return `--${boundary}\r\ncontent-disposition: ${disposition}\r\ncontent-type: image/png\r\n\r\n${'x'.repeat(value.bytes)}\r\n`
  })
  return {
    body: `${parts.join('')}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}

export interface ExpectedRefusal {
  readonly status: number
  readonly type?: string
  readonly code: string
  /** The field that is wrong; `null` if it is none. */
  readonly param: string | null
  /** Each has to stand in the message: the field, the value, what is allowed. */
  readonly says: readonly (string | RegExp)[]
}

/** Checks what every refusal has: status, type, code, param, a sentence, a request id, and nothing of our inside. */
export function assertRefused(answer: Answer, expected: ExpectedRefusal): void {
  assert.equal(answer.status, expected.status, answer.text)
  const { error } = refusal.parse(answer.body)
  const { type = 'invalid_request_error', code, param } = expected
  assert.deepEqual({ type: error.type, code: error.code, param: error.param }, { type, code, param }, answer.text)
  assert.match(answer.headers.get('x-request-id') ?? '', /^req_[0-9a-f]{32}$/)
  for (const part of expected.says) {
    if (typeof part === 'string') assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`)
    else assert.match(error.message, part)
  }
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|\bat \S+ \(|rly_live_[A-Za-z0-9_-]{6}/)
  assert.ok(answer.text.length < 2_000, 'a refusal stays small, whatever was sent')
}
