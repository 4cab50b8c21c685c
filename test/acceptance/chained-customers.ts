/** A customer of each of the five dialects, as far as all of them do the same: ask for a video, and read how it stands. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Json } from '../../src/canonical/json.ts'
import type { ChainedKind } from '../support/chain.ts'
import type { Answer, TestServer } from '../support/server.ts'
import { type Bytes, dataUri, formOf, upload } from './reference-files.ts'

export interface Asked {
  readonly prompt: string
  /** The first frame. */
  readonly picture?: Bytes
  readonly idempotencyKey?: string
}

export interface Customer {
  /** Length of what `create` asks for. */
  readonly seconds: number
  readonly takesPicture: boolean
  /** Asks for a video of 480p in 2:3 and gives its id in this dialect. */
  readonly create: (server: TestServer, asked: Asked) => Promise<string>
  readonly read: (server: TestServer, id: string) => Promise<Answer>
  /** Where the video is, once it is there. */
  readonly videoOf: (server: TestServer, id: string) => Promise<Bytes>
}

const MODEL = 'grok-imagine-video'
/** The shortest that the dialect lets anybody ask for is asked for, if it is not too short to see progress. */
const SECONDS = 2
const FIXED_SECONDS = 6

export const CUSTOMERS: Readonly<Record<ChainedKind, Customer>> = {
  xai: {
    seconds: SECONDS,
    takesPicture: true,
    create: async (server, { picture, ...asked }) => {
      const params = { model: MODEL, duration: SECONDS, resolution: '480p', aspect_ratio: '2:3' }
      const image = picture === undefined ? {} : { image: { url: dataUri(picture) } }
      const answer = await post(server, '/v1/videos/generations', { ...params, ...image }, asked)
      return z.object({ request_id: z.string() }).parse(answer).request_id
    },
    read: (server, id) => server.ask('GET', `/v1/videos/${id}`),
    videoOf: linked(
      (id) => `/v1/videos/${id}`,
      z.object({ video: z.object({ url: z.url() }) }),
      (_) => _.video.url,
    ),
  },
  rivya: {
    seconds: FIXED_SECONDS,
    takesPicture: true,
    create: async (server, { picture, prompt, idempotencyKey }) => {
      const params = { mode: 'normal', duration: FIXED_SECONDS, resolution: '480p', aspect_ratio: '2:3' }
      const file = picture === undefined ? undefined : await upload(server, { kind: 'image', bytes: picture })
      const items = file === undefined ? {} : { referenceMediaItems: [{ url: file.url, kind: 'image' }] }
      const body = { model: MODEL, params: { ...params, ...items } }
      const answer = await post(server, '/api/v1/generations', body, { prompt, idempotencyKey })
      return z.object({ id: z.string() }).parse(answer).id
    },
    read: (server, id) => server.ask('GET', `/api/v1/generations/${id}`),
    videoOf: linked(
      (id) => `/api/v1/generations/${id}`,
      z.object({ result: z.object({ primary_url: z.url() }) }),
      (_) => _.result.primary_url,
    ),
  },
  grokimagineapi: {
    seconds: FIXED_SECONDS,
    takesPicture: false,
    create: async (server, asked) => {
      const answer = await post(server, '/v1/generate', { mode: 'normal', ratio: '2:3' }, asked)
      return z.object({ data: z.object({ task_id: z.string() }) }).parse(answer).data.task_id
    },
    read: (server, id) => server.ask('GET', `/v1/status?task_id=${id}`),
    videoOf: linked(
      (id) => `/v1/status?task_id=${id}`,
      z.object({ data: z.object({ response: z.tuple([z.url()]) }) }),
      (_) => _.data.response[0],
    ),
  },
  acedata: {
    seconds: SECONDS,
    takesPicture: true,
    create: async (server, { picture, ...asked }) => {
      const params = { model: MODEL, duration: SECONDS, resolution: '480p', aspect_ratio: '2:3', async: true }
      const image = picture === undefined ? {} : { image_url: dataUri(picture) }
      const answer = await post(server, '/grok/videos', { ...params, ...image }, asked)
      return z.object({ task_id: z.string() }).parse(answer).task_id
    },
    read: (server, id) => server.ask('POST', '/grok/tasks', { body: { id } }),
    videoOf: async (server, id) => {
      const { body } = await server.ask('POST', '/grok/tasks', { body: { id } })
      const item = z.object({ video_url: z.url() })
      const { response } = z.object({ response: z.object({ data: z.tuple([item]) }) }).parse(body)
      return await bytesAt(response.data[0].video_url)
    },
  },
  'openai-videos': {
    seconds: SECONDS,
    takesPicture: true,
    create: async (server, { picture, prompt, idempotencyKey }) => {
      const params = { model: MODEL, seconds: String(SECONDS), size: '480x720' }
      const path = '/openai/v1/videos'
      if (picture === undefined) return videoId.parse(await post(server, path, params, { prompt, idempotencyKey })).id
      const form = await formOf({ ...params, prompt, input_reference: picture })
      const headers = { ...form.headers, ...keyHeader(idempotencyKey) }
      return videoId.parse(okBody(await server.ask('POST', path, { body: form.body, headers }))).id
    },
    read: (server, id) => server.ask('GET', `/openai/v1/videos/${id}`),
    videoOf: async (server, id) => {
      const headers = { authorization: `Bearer ${server.key}` }
      return await bytesAt(`${server.url}/openai/v1/videos/${id}/content`, headers)
    },
  },
}

const videoId = z.object({ id: z.string() })

/** An id of any dialect as the task's own. */
export function taskIdOf(id: string): string {
  return `task_${id.replace(/^[a-z]+_/, '').replaceAll('-', '')}`
}

/** An answer without what two servers that say the same cannot have in common: ids, links, times, sentences. */
export function withoutNames(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutNames)
  if (typeof json === 'object' && json !== null) {
    const kept = Object.entries(json).filter(([key]) => key !== 'message' && !key.endsWith('_at'))
    return Object.fromEntries(kept.map(([key, value]) => [key, withoutNames(value)]))
  }
  if (typeof json !== 'string') return json
  if (/^https?:/.test(json)) return 'a link'
  return json.replace(/(task_|video_)?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}/g, 'an id')
}

async function post(
  server: TestServer,
  path: string,
  body: Readonly<Record<string, Json>>,
  { prompt, idempotencyKey }: Pick<Asked, 'prompt'> & { readonly idempotencyKey?: string | undefined },
): Promise<unknown> {
  return okBody(await server.ask('POST', path, { body: { ...body, prompt }, headers: keyHeader(idempotencyKey) }))
}

function keyHeader(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined ? {} : { 'idempotency-key': key }
}

function okBody(answer: Answer): unknown {
  assert.equal(answer.status, 200, answer.text)
  return answer.body
}

function linked<Schema extends z.ZodType>(
  pathOf: (id: string) => string,
  schema: Schema,
  urlOf: (body: z.output<Schema>) => string,
): Customer['videoOf'] {
  return async (server, id) => await bytesAt(urlOf(schema.parse((await server.ask('GET', pathOf(id))).body)))
}

async function bytesAt(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Bytes> {
  const answer = await fetch(url, { headers })
  assert.equal(answer.status, 200, url)
  return new Uint8Array(await answer.arrayBuffer())
}
