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
import { Redaction } from './redaction.ts'

/** Bytes of a JSON answer; a status with an inline video has a limit of its own. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Enough to tell the few keys of one provider apart. */
const FINGERPRINT_CHARACTERS = 12

/** How much of an answer that is not understood goes to the log. */
const SHOWN_CHARACTERS = 300

/** As much of an answer is looked at for what is shown of it: a secret that begins in the shown part ends here. */
const LOOKED_AT_CHARACTERS = 4_096

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
  /** The header `User-Agent`; by default one without a contact. */
  readonly userAgent?: string | undefined
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
  /** `undefined` where the body is empty or no JSON. Our secrets are cut out of its words. */
  readonly json: Json | undefined
  /** The beginning of the body as printable text, for the log; without our secrets. */
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
  readonly #secrets: Redaction

  constructor(settings: UpstreamSettings) {
    this.#settings = settings
    this.#base = new URL(settings.baseUrl)
    const { userAgent } = settings
    this.#host = new TrustedHost(this.#base.origin, userAgent === undefined ? {} : { userAgent })
    this.#secrets = new Redaction([...settings.apiKeys, settings.callbackUrl ?? ''])
  }

  /** A call that may begin a job. Never repeated here, whatever happens. */
  async create(call: UpstreamCall): Promise<CreateCall> {
    try {
      await using answer = await this.#host.create(this.#requestForJson(call))
      return { kind: 'answered', answer: await this.#readAnswer(answer) }
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      const cause = `${error.reason}: ${error.message}`
      return error.sent === 'no' ? { kind: 'undelivered', cause } : { kind: 'ambiguous', cause }
    }
  }

  /** A call that begins nothing. @throws FetchError where there is no answer. */
  async read(call: UpstreamCall): Promise<UpstreamAnswer> {
    await using answer = await this.#host.read(this.#requestForJson(call))
    return await this.#readAnswer(answer)
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

  /**
   * The URL that an answer means by a reference, which is resolved against the URL that was asked (RFC 3986, 5.2).
   * `undefined` where it is none. `askedPath`: the path of the call, as it was given to `read`.
   */
  resolve(reference: string, askedPath: string): string | undefined {
    const asked = this.locate(askedPath)
    return URL.canParse(reference, asked.href) ? new URL(reference, asked).href : undefined
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

  #requestForJson(call: UpstreamCall): TrustedRequest {
    return { ...this.#request(call, this.#settings.timeoutMs), maxBytes: call.maxBytes ?? MAX_ANSWER_BYTES }
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

  async #readAnswer(answer: TrustedAnswer): Promise<UpstreamAnswer> {
    const text = await readText(answer)
    return {
      status: answer.status,
      headers: answer.headers,
      json: this.#parsed(text),
      shown: printable(this.#secrets.ofText(text.slice(0, LOOKED_AT_CHARACTERS))).slice(0, SHOWN_CHARACTERS),
      retryAfterMs: retryAfterMs(answer.headers['retry-after'], new Date()),
    }
  }

  /** Nothing for what is no JSON, or is nested deeper than can be walked. */
  #parsed(text: string): Json | undefined {
    try {
      return this.#secrets.ofJson(JSON.parse(text))
    } catch {
      return undefined
    }
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

async function readText(answer: TrustedAnswer): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Bytes that are no text would garble a log, or the terminal on which it is read. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\uFFFD]+/gu, ' ')
}
