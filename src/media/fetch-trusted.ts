/**
 * Calls to hosts that the operator has configured: upstream APIs, servers on the operator's own network. Unlike
 * `fetch-untrusted.ts` it dials whatever the name leads to. Nothing is ever repeated by itself and no redirect is
 * followed, so a credential goes to its host and nowhere else, and a create is sent once.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { afterRunning } from '../observe/running-time.ts'
import { answered } from './fetch-answered.ts'
import { withoutCodings } from './fetch-coding.ts'
import { FetchError } from './fetch-error.ts'
import { type FetchCause, fetchErrorOf } from './fetch-error-of.ts'
import type { FetchPolicy } from './fetch-policy.ts'
import { userAgent } from './fetch-user-agent.ts'

/** A host that has not taken a connection by then is not reached. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Connections for reads to one host, opened as they are needed: to watch 10,000 jobs takes 2,000 polls a second, and a vendor on
 * another continent takes a tenth of a second to answer each. Downloads from the same host go over them too.
 */
const READ_CONNECTIONS = 512

/** An idle connection is closed before most servers close theirs (5 s and more): a read meets fewer stale ones. */
const KEEP_ALIVE_MS = 4_000

const MAX_HEAD_BYTES = 32_768

/** Bytes of a body whose caller names no limit: no clip is longer. */
const MAX_BODY_BYTES = 2 * 1024 ** 3

export interface TrustedRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT'
  /** Below the host, with its query; or a whole URL of the same origin. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number
  /** Bytes of the answer's body, as it came and without its content codings; the one beyond throws `too_large`. */
  readonly maxBytes?: number | undefined
  readonly signal?: AbortSignal
}

/** Dispose of it when done, read to the end or not. */
export interface TrustedAnswer extends AsyncDisposable {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Without its content codings, to be read once. Throws a `FetchError` when it is cut off, too large or too slow. */
  readonly body: AsyncIterable<Buffer>
}

/** One configured host. */
export class TrustedHost implements AsyncDisposable {
  readonly #origin: URL
  readonly #isSecure: boolean
  readonly #kept: HttpAgent
  readonly #userAgent: string

  /** `origin`: scheme, host and port. */
  constructor(origin: string, { userAgent: name = userAgent() }: Pick<FetchPolicy, 'userAgent'> = {}) {
    this.#origin = new URL(origin)
    this.#userAgent = name
    this.#isSecure = this.#origin.protocol === 'https:'
    const options = {
      keepAlive: true,
      maxSockets: READ_CONNECTIONS,
      maxFreeSockets: READ_CONNECTIONS,
      timeout: KEEP_ALIVE_MS,
    }
    this.#kept = this.#isSecure ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /** A call that changes nothing: over a connection that is kept. @throws FetchError where there is no answer. */
  async read(request: TrustedRequest): Promise<TrustedAnswer> {
    return await this.#send(request, this.#kept)
  }

  /**
   * A call that may cost somebody money: over a connection of its own, so that a kept one which the host is just closing
   * never leaves in doubt whether the call arrived. `FetchError.sent` tells whether it may have.
   */
  async create(request: TrustedRequest): Promise<TrustedAnswer> {
    return await this.#send(request, false)
  }

  async #send(request: TrustedRequest, agent: HttpAgent | false): Promise<TrustedAnswer> {
    const url = new URL(request.path, this.#origin)
    if (url.origin !== this.#origin.origin) throw new FetchError('url_refused', 'The URL is of another host.')
    const end = new AbortController()
    const giveUp = () => end.abort(new FetchError('aborted', 'The call was given up.'))
    const timeOut = new FetchError('timeout', `${url.host} gave no whole answer within ${request.timeoutMs} ms.`)
    const calledOff = afterRunning(request.timeoutMs, () => end.abort(timeOut))
    request.signal?.addEventListener('abort', giveUp)
    if (request.signal?.aborted === true) giveUp()
    const stop = () => {
      calledOff()
      request.signal?.removeEventListener('abort', giveUp)
    }
    const cause: FetchCause = { hostname: url.hostname, signal: end.signal, sent: 'no' }
    const call = (this.#isSecure ? httpsRequest : httpRequest)(url, {
      method: request.method,
      headers: { 'accept-encoding': 'identity', 'user-agent': this.#userAgent, ...request.headers },
      agent,
      maxHeaderSize: MAX_HEAD_BYTES,
      signal: end.signal,
    })
    this.#watchConnecting(call, cause)
    try {
      const answer = await answered(call, { body: request.body, signal: end.signal })
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: told(answer, { maxBytes: request.maxBytes ?? MAX_BODY_BYTES, cause }),
        [Symbol.asyncDispose]: async () => {
          // Closes the connection, unless the answer has been read to its end and the request was, too.
          answer.destroy()
          if (!call.writableFinished) call.destroy()
          stop()
        },
      }
    } catch (error) {
      call.destroy()
      stop()
      throw fetchErrorOf(error, cause)
    }
  }

  /** Notes when the connection is there, for until then not a byte has left; and gives up where it does not come. */
  #watchConnecting(call: ClientRequest, cause: FetchCause): void {
    call.once('socket', (socket) => {
      if (!socket.connecting) {
        cause.sent = 'maybe'
        return
      }
      const { hostname } = cause
      const giveUp = () => call.destroy(new FetchError('unreachable', `${hostname} could not be connected to.`))
      const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS)
      socket
        .once(this.#isSecure ? 'secureConnect' : 'connect', () => {
          clearTimeout(timer)
          cause.sent = 'maybe'
        })
        .once('close', () => clearTimeout(timer))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kept.destroy()
  }
}

/** A body without its content codings, whose failures are told as `FetchError`. */
async function* told(
  body: IncomingMessage,
  { maxBytes, cause }: { readonly maxBytes: number; readonly cause: FetchCause },
): AsyncGenerator<Buffer> {
  try {
    yield* withoutCodings({ body, contentEncoding: body.headers['content-encoding'], maxBytes })
  } catch (error) {
    throw fetchErrorOf(error, cause)
  }
}
