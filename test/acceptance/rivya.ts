/** Answers of the Rivya API read into types, strictly: a key too many, too few or of another type fails the test. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'
import type { Answer, Ask, TestServer } from '../support/server.ts'

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const generationSchema = z.strictObject({
  id: z.string().regex(/^task_[0-9a-f]{32}$/),
  status: z.enum(['queued', 'processing', 'succeeded', 'failed', 'canceled']),
  model: z.string(),
  reserved_credits: z.int().nonnegative(),
  final_credits: z.int().nonnegative(),
  created_at: z.string().regex(TIMESTAMP),
  updated_at: z.string().regex(TIMESTAMP),
  result: z.strictObject({ primary_url: z.url(), urls: z.array(z.url()) }).nullable(),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})
export type Generation = z.infer<typeof generationSchema>

const fileSchema = z.strictObject({
  id: z.string().regex(/^file_[0-9a-f]{32}$/),
  object: z.literal('file'),
  kind: z.enum(['image', 'video', 'audio']),
  url: z.url(),
  name: z.string(),
  mime_type: z.string(),
  size_bytes: z.int().positive(),
  width: z.int().positive().nullable(),
  height: z.int().positive().nullable(),
  duration_seconds: z.number().positive().nullable(),
  duration_token: z.string().nullable(),
  created_at: z.string().regex(TIMESTAMP),
  expires_at: z.string().regex(TIMESTAMP),
})
export type File = z.infer<typeof fileSchema>

const filePageSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(fileSchema.omit({ duration_token: true })),
  next_cursor: z.string().nullable(),
})

const pageSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(generationSchema),
  next_cursor: z.string().nullable(),
})

const refusalSchema = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), requestId: z.string().regex(/^req_[0-9a-f]{32}$/) }),
})

/** The smallest request that the page shows. */
export const MINIMAL = {
  model: 'grok-imagine-video',
  prompt: 'A cinematic product reveal with smooth camera movement',
  params: { mode: 'normal', duration: 6, resolution: '480p', aspect_ratio: '2:3' },
}

/** A body that costs no rendering, should it be accepted against all expectation. */
export const CHEAP = { model: 'grok-imagine-video', prompt: 'sandbox:fail' }

/** A task that stays where a provider has it for ten minutes. */
export const SLOW = { model: 'grok-imagine-video', prompt: 'sandbox:fail sandbox:slow=600' }

/** Reads a generation from a good answer. */
export function generationOf(answer: Answer): Generation {
  assert.equal(answer.status, 200, answer.text)
  return generationSchema.parse(answer.body)
}

export function fileOf(answer: Answer): File {
  assert.equal(answer.status, 200, answer.text)
  return fileSchema.parse(answer.body)
}

export function filePageOf(answer: Answer): z.infer<typeof filePageSchema> {
  assert.equal(answer.status, 200, answer.text)
  return filePageSchema.parse(answer.body)
}

/** What an upload sends: `bytes` as the file, and the other fields as they are. */
export interface Upload {
  readonly bytes: Uint8Array
  readonly kind: string
  readonly name?: string
  readonly type?: string
  readonly model?: string
}

/** A multipart form with the fields of an upload, as browsers and `fetch` write it. */
export async function uploadForm(upload: Upload): Promise<Required<Pick<Ask, 'body' | 'headers'>>> {
  const { bytes, kind, name = 'a file', type = 'application/octet-stream', model } = upload
  const form = new FormData()
  form.set('kind', kind)
  form.set('file', new Blob([new Uint8Array(bytes)], { type }), name)
  if (model !== undefined) form.set('model', model)
  return encoded(form)
}

export async function encoded(form: FormData): Promise<Required<Pick<Ask, 'body' | 'headers'>>> {
  const whole = new Response(form)
  const headers = { 'content-type': whole.headers.get('content-type') ?? '' }
  return { body: new Uint8Array(await whole.arrayBuffer()), headers }
}

export async function upload(server: TestServer, file: Upload, ask: Ask = {}): Promise<File> {
  return fileOf(await server.ask('POST', '/api/v1/files', { ...ask, ...(await uploadForm(file)) }))
}

export function pageOf(answer: Answer): z.infer<typeof pageSchema> {
  assert.equal(answer.status, 200, answer.text)
  return pageSchema.parse(answer.body)
}

export async function create(server: TestServer, body: unknown = CHEAP, ask: Ask = {}): Promise<Generation> {
  return generationOf(await server.ask('POST', '/api/v1/generations', { ...ask, body }))
}

export async function get(server: TestServer, id: string, ask: Ask = {}): Promise<Generation> {
  return generationOf(await server.ask('GET', `/api/v1/generations/${id}`, ask))
}

export async function credits(server: TestServer, ask: Ask = {}): Promise<number> {
  const answer = await server.ask('GET', '/api/v1/credits', ask)
  assert.equal(answer.status, 200, answer.text)
  return z.strictObject({ current_credits: z.int() }).parse(answer.body).current_credits
}

/** Polls, as a customer does, until the generation has one of the states. */
export function waitForStatus(
  server: TestServer,
  id: string,
  wanted: readonly Generation['status'][],
  ask: Ask = {},
): Promise<Generation> {
  return waitFor(`${id} to be ${wanted.join(' or ')}`, async (seen) => {
    const answer = await server.ask('GET', `/api/v1/generations/${id}`, ask)
    const generation = generationOf(answer)
    seen(generation.status, answer.headers.get('generation-progress'))
    return wanted.includes(generation.status) ? generation : undefined
  })
}

/** Cancels what a test left running, so that the next one finds its credits and its slots. */
export async function cancel(server: TestServer, id: string, ask: Ask = {}): Promise<Generation> {
  return generationOf(await server.ask('POST', `/api/v1/generations/${id}/cancel`, ask))
}

export interface ExpectedRefusal {
  readonly status: number
  readonly code: string
  /** Each has to stand in the message: the field, the value, what is allowed. */
  readonly says: readonly (string | RegExp)[]
}

/** Checks what every refusal has: status, code, a sentence, the request id of the header, and nothing of our inside. */
export function assertRefused(answer: Answer, expected: ExpectedRefusal): void {
  assert.equal(answer.status, expected.status, answer.text)
  const { error } = refusalSchema.parse(answer.body)
  assert.equal(error.code, expected.code, answer.text)
  assert.equal(error.requestId, answer.headers.get('x-request-id'))
  for (const part of expected.says) {
    if (typeof part === 'string') assert.ok(error.message.includes(part), `"${error.message}" does not say "${part}"`)
    else assert.match(error.message, part)
  }
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|\bat \S+ \(|rly_live_[A-Za-z0-9_-]{6}/)
  assert.ok(answer.text.length < 2_000, 'a refusal stays small, whatever was sent')
}

/** No request may have met a fault of the server's own: what is logged as an error. */
export function assertNoFaultLogged(server: TestServer): void {
  assert.deepEqual(faultsOf(server), [])
}

export function faultsOf(server: TestServer): string[] {
  const lines = server.log().split('\n')
  return lines.filter((line) => /"level":(50|60)/.test(line)).map((line) => line.slice(0, 1_000))
}
