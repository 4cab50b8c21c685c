import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { CommandError } from './command-error.ts'

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 30_000

const generationSchema = z.object({
  id: z.string(),
  status: z.enum(['queued', 'processing', 'succeeded', 'failed', 'canceled']),
  model: z.string(),
  reserved_credits: z.number(),
  final_credits: z.number(),
  created_at: z.string(),
  updated_at: z.string(),
  result: z.object({ primary_url: z.string(), urls: z.array(z.string()) }).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
})
/** A generation in Rivya's words, which the command line speaks like any customer. */
export type Generation = z.infer<typeof generationSchema> & {
  /** How many of the same account's go first, while it is queued. */
  readonly queuePosition: number | undefined
  /** 0–100 */
  readonly progress: number | undefined
}

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

export interface ApiTarget {
  /** Without a slash at the end. */
  readonly url: string
  readonly key: string
}

/** A customer of our own API: everything goes over HTTP, as it would from anywhere else. */
export class ApiClient {
  readonly #target: ApiTarget

  constructor(target: ApiTarget) {
    this.#target = target
  }

  /** The server and key that the options or the environment name. */
  static fromOptions(options: { url?: string; key?: string }): ApiClient {
    const url = options.url ?? process.env['REELAY_URL'] ?? 'http://127.0.0.1:8787'
    const key = options.key ?? process.env['REELAY_API_KEY']
    if (key === undefined || key === '') {
      throw new CommandError(
        'Set REELAY_API_KEY or give --key; "reelay accounts create NAME" makes an account with a key.',
      )
    }
    return new ApiClient({ url: url.replace(/\/+$/, ''), key })
  }

  /** Creates a generation; the idempotency key makes it safe for a caller to repeat this very call. */
  create(body: unknown): Promise<Generation> {
    return this.#ask('POST', '/api/v1/generations', { body, headers: { 'idempotency-key': randomUUID() } })
  }

  get(id: string): Promise<Generation> {
    return this.#ask('GET', `/api/v1/generations/${encodeURIComponent(id)}`, {})
  }

  cancel(id: string): Promise<Generation> {
    return this.#ask('POST', `/api/v1/generations/${encodeURIComponent(id)}/cancel`, {})
  }

  /** Saves a result: whole under its name, or not at all. */
  async download(url: string, path: string): Promise<void> {
    const answer = await fetch(url)
    if (!answer.ok || answer.body === null)
      throw new CommandError(`The video could not be fetched: HTTP ${answer.status}.`)
    await mkdir(dirname(path), { recursive: true })
    const part = `${path}.part`
    try {
      await pipeline(Readable.fromWeb(answer.body), createWriteStream(part))
      await rename(part, path)
    } finally {
      await rm(part, { force: true })
    }
  }

  async #ask(
    method: string,
    path: string,
    { body, headers }: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Generation> {
    const { url, key } = this.#target
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause) => {
      throw new CommandError(`No server answers at ${url}; start one with "reelay serve".`, { cause })
    })
    const json: unknown = await answer.json().catch(() => undefined)
    if (!answer.ok) {
      const refused = errorSchema.safeParse(json)
      const why = refused.success
        ? `${refused.data.error.message} (${refused.data.error.code})`
        : `HTTP ${answer.status}`
      throw new CommandError(why)
    }
    return {
      ...generationSchema.parse(json),
      queuePosition: numberHeader(answer, 'queue-position'),
      progress: numberHeader(answer, 'generation-progress'),
    }
  }
}

function numberHeader(answer: Response, name: string): number | undefined {
  const value = answer.headers.get(name)
  return value === null ? undefined : Number(value)
}
