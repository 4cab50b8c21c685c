/**
 * An upstream API as its adapter calls it: JSON over HTTP to one configured base URL with one credential. It knows which
 * outcome of a create means what for money; it knows no vendor.
 */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Json } from '../../canonical/json.ts'
import { FetchError } from '../../media/fetch-error.ts'
import { retryAfterMs } from '../../media/fetch-retry-after.ts'
import { type TrustedAnswer, TrustedHost, type TrustedRequest } from '../../media/fetch-trusted.ts'
import { BlamelessError } from '../provider.ts'

/** Characters. Servers without keys are given words like `none` or `id`, which are no secret and stand in answers. */
const SHORTEST_SECRET = 8

/** Bytes of a JSON answer; a status with an inline video has a limit of its own. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Enough to tell the few keys of one provider apart. */
const FINGERPRINT_CHARACTERS = 12

/** How much of an answer that is not understood goes to the log. */
const SHOWN_CHARACTERS = 300

/** In the first place of the keys: new jobs go without one. */
export const NO_KEY = ''

export interface UpstreamSettings {
  /** What the vendor's documentation calls its base URL, without a slash at the end. */
  readonly baseUrl: string
  /** The first is used for new jobs, unless it is `NO_KEY`; the others serve the jobs that they started. Empty where none is wanted. */
  readonly apiKeys: readonly string[]
  /** For an answer, in milliseconds. */
  readonly timeoutMs: number
  /** Where the upstream calls: whoever knows it can call there, too. */
  readonly callbackUrl?: string | undefined
}

export interface UpstreamCall {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT'
  /** Below the base URL, beginning with a slash. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: Json
  /** Sent as it is, with the `content-type` of `headers`. */
  readonly body?: Buffer
  /** Names the key that started the job, as `credential` of this class did then; by default the first. */
  readonly credential?: string | undefined
  readonly signal: AbortSignal
  /** Bytes that the answer may have, if more than usual. */
  readonly maxBytes?: number
}

/** What an upstream said, whatever its status. */
export interface UpstreamAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** `undefined` where the body is empty or no JSON. */
  readonly json: Json | undefined
  /** The beginning of the body, for the log; our secrets are cut out of it, as of `json`. */
  readonly shown: string
  /** What `Retry-After` asks for. */
  readonly retryAfterMs: number | undefined
}

/** How a create went, as far as the wire can tell. */
export type CreateCall =
  | { readonly kind: 'answered'; readonly answer: UpstreamAnswer }
  /** Not one byte of it arrived. */
  | { readonly kind: 'undelivered'; readonly cause: string; readonly isOurs?: true }
  | { readonly kind: 'ambiguous'; readonly cause: string }

export class Upstream implements AsyncDisposable {
  readonly #settings: UpstreamSettings
  readonly #host: TrustedHost
  readonly #base: URL

  constructor(settings: UpstreamSettings) {
    this.#settings = settings
    this.#base = new URL(settings.baseUrl)
    this.#host = new TrustedHost(this.#base.origin)
  }

  /** A call that may begin a job. Never repeated here, whatever happens. */
  async create(call: UpstreamCall): Promise<CreateCall> {
    try {
      await using answer = await this.#host.create(this.#request(call, this.#settings.timeoutMs))
      return { kind: 'answered', answer: await this.#readAnswer(answer, call) }
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      const cause = `${error.reason}: ${error.message}`
      return error.sent === 'no' ? { kind: 'undelivered', cause } : { kind: 'ambiguous', cause }
    }
  }

  /** A call that begins nothing. @throws FetchError where there is no answer. */
  async read(call: UpstreamCall): Promise<UpstreamAnswer> {
    await using answer = await this.#host.read(this.#request(call, this.#settings.timeoutMs))
    return await this.#readAnswer(answer, call)
  }

  /** The bytes of a file that lies on the upstream itself, behind the credential. */
  async download(call: UpstreamCall, timeoutMs: number): Promise<TrustedAnswer> {
    return await this.#host.read(this.#request(call, timeoutMs))
  }

  /** Whether a URL is of this very host: then it may be fetched with the credential, and on a private network. */
  owns(url: string): boolean {
    return URL.canParse(url, this.#base.href) && new URL(url, this.#base).origin === this.#base.origin
  }

  /** Where a path below the base URL leads, or a whole URL. */
  locate(path: string): URL {
    const below = path.startsWith('/') ? `${this.#base.pathname.replace(/\/+$/, '')}${path}` : path
    return new URL(below, this.#base.origin)
  }

  /** Names the key that new jobs are started with, without telling it; kept in their operations. */
  get credential(): string | undefined {
    const [key = NO_KEY] = this.#settings.apiKeys
    return key === NO_KEY ? undefined : fingerprintOf(key)
  }

  #keyOf(credential: string | undefined): string | undefined {
    const { apiKeys } = this.#settings
    if (credential === undefined) return apiKeys[0] === NO_KEY ? undefined : apiKeys[0]
    const key = apiKeys.find((each) => fingerprintOf(each) === credential)
    if (key === undefined)
      throw new CredentialMissing(`The key ${credential} that started the job is configured no more.`)
    return key
  }

  #request(call: UpstreamCall, timeoutMs: number): TrustedRequest {
    const apiKey = this.#keyOf(call.credential)
    const json = call.json === undefined ? undefined : JSON.stringify(call.json)
    const body = call.body ?? json
    return {
      method: call.method,
      path: this.locate(call.path).href,
      headers: {
        accept: 'application/json',
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...call.headers,
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      signal: call.signal,
    }
  }

  async #readAnswer(answer: TrustedAnswer, { maxBytes = MAX_ANSWER_BYTES }: UpstreamCall): Promise<UpstreamAnswer> {
    const text = this.#withoutSecrets(await readText(answer, maxBytes))
    return {
      status: answer.status,
      headers: answer.headers,
      json: parsed(text),
      shown: text.slice(0, SHOWN_CHARACTERS),
      retryAfterMs: retryAfterMs(answer.headers['retry-after'], new Date()),
    }
  }

  /** Some upstreams repeat a wrong key, or the whole request, in their refusal. */
  #withoutSecrets(text: string): string {
    const { apiKeys, callbackUrl = '' } = this.#settings
    const secrets = [...apiKeys, callbackUrl].filter(({ length }) => length >= SHORTEST_SECRET)
    // As it is, and as some write it into JSON and into URLs.
    const spellings = secrets.flatMap((secret) => [secret, secret.replaceAll('/', '\\/'), encodeURIComponent(secret)])
    return spellings.reduce((left, spelling) => left.replaceAll(spelling, '[secret]'), text)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#host[Symbol.asyncDispose]()
  }
}

/** The key that started a job is not there any more: an operator has to bring it back. */
export class CredentialMissing extends BlamelessError {
  override readonly name = 'CredentialMissing'
}

/** Tells keys apart and gives none away: keys are long and random. */
function fingerprintOf(key: string): string {
  return createHash('sha256').update(`reelay upstream key\n${key}`).digest('hex').slice(0, FINGERPRINT_CHARACTERS)
}

async function readText(answer: TrustedAnswer, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer.body) {
    bytes += chunk.length
    if (bytes > maxBytes)
      throw new FetchError('too_large', `The answer is larger than ${maxBytes} bytes.`, { sent: 'maybe' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
