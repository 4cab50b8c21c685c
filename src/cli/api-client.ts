import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { retryAfterMs } from '../media/fetch-retry-after.ts'
import { CommandError } from './command-error.ts'

/** A server that has not answered by then is not there. */
const TIMEOUT_MS = 30_000

/** A server that is too busy, or stopping, and does not say for how long: a restart takes about this long. */
const BUSY_RETRY_MS = 5_000

/** Too many requests in this minute; or the server is overloaded or stopping. The same request succeeds later. */
const BUSY_STATUSES = [429, 503]

/** Of the form of a task's id, and so fit for the name of a file, whatever the server is. */
const taskId = z.string().regex(/^task_[0-9a-f]{32}$/)

const generationSchema = z.object({
  id: taskId,
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

/** What became of a request. `why` is a sentence. */
export type Outcome =
  | { readonly kind: 'answered'; readonly generation: Generation }
  | { readonly kind: 'busy'; readonly retryAfterMs: number; readonly why: string }
  | { readonly kind: 'aborted' }

interface Asking {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
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

  /**
   * Creates a generation, another one with each call. The idempotency key, made anew here, only keeps whatever lies
   * between from making two of one call.
   */
  create(body: unknown): Promise<Generation> {
    return this.#demand('POST', '/api/v1/generations', { body, headers: { 'idempotency-key': randomUUID() } })
  }

  get(id: string): Promise<Generation> {
    return this.#demand('GET', pathOf(id))
  }

  /** Reads a generation when it changes, at the latest after `waitSeconds` (less than the 30 of a request). */
  read(id: string, { waitSeconds, signal }: { waitSeconds: number; signal: AbortSignal }): Promise<Outcome> {
    return this.#ask('GET', pathOf(id), { headers: { prefer: `wait=${waitSeconds}` }, signal })
  }

  cancel(id: string): Promise<Outcome> {
    return this.#ask('POST', `${pathOf(id)}/cancel`)
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

  async #demand(method: string, path: string, asking: Asking = {}): Promise<Generation> {
    const outcome = await this.#ask(method, path, asking)
    switch (outcome.kind) {
      case 'answered':
        return outcome.generation
      case 'busy':
        throw new CommandError(outcome.why)
      case 'aborted':
        throw new Error('a request without a signal was aborted')
    }
  }

  async #ask(method: string, path: string, { body, headers, signal }: Asking = {}): Promise<Outcome> {
    const { url, key } = this.#target
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    let answer: Response
    let text: string
    try {
      answer = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      text = await answer.text()
    } catch (cause) {
      if (signal?.aborted === true) return { kind: 'aborted' }
      throw new CommandError(`No server answers at ${url}; start one with "reelay serve".`, { cause })
    }
    if (answer.ok) return { kind: 'answered', generation: generationOf(answer, text) }
    const why = whyRefused(answer, text)
    if (!BUSY_STATUSES.includes(answer.status)) throw new CommandError(why)
    const retryAfter = answer.headers.get('retry-after') ?? undefined
    return { kind: 'busy', retryAfterMs: retryAfterMs(retryAfter, new Date()) ?? BUSY_RETRY_MS, why }
  }
}

function pathOf(id: string): string {
  return `/api/v1/generations/${encodeURIComponent(id)}`
}

function generationOf(answer: Response, text: string): Generation {
  const read = generationSchema.safeParse(parse(text))
  if (!read.success) {
    const where = read.error.issues[0]?.path.join('.') || 'the body'
    throw new CommandError(`The server's answer is not one of Reelay: ${where} cannot be read.`)
  }
  return {
    ...read.data,
    queuePosition: numberHeader(answer, 'queue-position'),
    progress: numberHeader(answer, 'generation-progress'),
  }
}

function whyRefused({ status }: Response, text: string): string {
  const refused = errorSchema.safeParse(parse(text))
  return refused.success ? `${refused.data.error.message} (${refused.data.error.code})` : `HTTP ${status}`
}

/** A proxy's page is no JSON, and no fault of ours. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function numberHeader(answer: Response, name: string): number | undefined {
  const value = answer.headers.get(name)
  return value === null ? undefined : Number(value)
}
