/**
 * A moderation API as OpenAI documents it: `POST {baseUrl}/moderations` with `{input, model?}`, answered by
 * `results[0].flagged` and `results[0].categories`. Its answer is read up to a cap; its words go to nobody.
 */
import { z } from 'zod'
import { FetchError } from '../media/fetch-error.ts'
import { retryAfterMs } from '../media/fetch-retry-after.ts'
import { type TrustedAnswer, TrustedHost } from '../media/fetch-trusted.ts'

export interface EndpointSettings {
  /** What the documentation calls the base URL, such as `https://api.openai.com/v1`; without a slash at the end. */
  readonly baseUrl: string
  /** Goes into `Authorization`. */
  readonly apiKey?: string | undefined
  /** By default the server's own. */
  readonly model?: string | undefined
  /** What becomes of a prompt that it cannot judge. */
  readonly whenAway: 'refuse' | 'allow'
  /** From the call to the end of the answer. */
  readonly timeoutSeconds: number
  /** The header `User-Agent`; by default one without a contact. */
  readonly userAgent?: string | undefined
}

export type EndpointVerdict =
  | { readonly kind: 'allowed' }
  /** `categories`: those that it named; empty where it named none. */
  | { readonly kind: 'flagged'; readonly categories: readonly string[] }
  /** `cause` is for the log: it holds neither the prompt nor the key, nor what was answered. */
  | { readonly kind: 'away'; readonly cause: string; readonly retryAfterMs: number | undefined }

/** Documented answers have some 3 KiB; nothing beyond this is read. */
const MAX_ANSWER_BYTES = 64 * 1024

const MS_PER_SECOND = 1_000

const answerSchema = z.object({
  results: z.tuple([z.object({ flagged: z.boolean(), categories: z.record(z.string(), z.unknown()).default({}) })]),
})

export class ModerationEndpoint implements AsyncDisposable {
  readonly #settings: EndpointSettings
  readonly #host: TrustedHost
  readonly #path: string

  constructor(settings: EndpointSettings) {
    const base = new URL(settings.baseUrl)
    this.#settings = settings
    this.#host = new TrustedHost(base.origin, settings)
    this.#path = `${base.pathname.replace(/\/+$/, '')}/moderations`
  }

  /** Asks once; whatever goes wrong is `away`. */
  async judge(prompt: string, signal?: AbortSignal): Promise<EndpointVerdict> {
    const { apiKey, model, timeoutSeconds } = this.#settings
    try {
      // Over a connection of its own: a kept one that the server is just closing would leave a prompt unjudged.
      await using answer = await this.#host.create({
        method: 'POST',
        path: this.#path,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({ input: prompt, ...(model === undefined ? {} : { model }) }),
        timeoutMs: timeoutSeconds * MS_PER_SECOND,
        maxBytes: MAX_ANSWER_BYTES,
        ...(signal === undefined ? {} : { signal }),
      })
      return await verdictOf(answer)
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      return away(`${error.reason}: ${error.message}`)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#host[Symbol.asyncDispose]()
  }
}

async function verdictOf(answer: TrustedAnswer): Promise<EndpointVerdict> {
  const { status, headers } = answer
  if (status !== 200) return away(`it answers ${status}`, retryAfterMs(headers['retry-after'], new Date()))
  const parsed = answerSchema.safeParse(parsedJson(await readText(answer)))
  if (!parsed.success) return away('its answer is none of the documented form')
  const [{ flagged, categories }] = parsed.data.results
  if (!flagged) return { kind: 'allowed' }
  return { kind: 'flagged', categories: Object.keys(categories).filter((name) => categories[name] === true) }
}

async function readText({ body }: TrustedAnswer): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is no answer of the documented form either.
    return undefined
  }
}

function away(cause: string, retryAfter?: number): EndpointVerdict {
  return { kind: 'away', cause, retryAfterMs: retryAfter }
}
