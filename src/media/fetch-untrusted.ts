/**
 * The only way to a URL that a customer or an upstream gave. Every hop's URL is checked as it is written (`check-url.ts`)
 * and every address as it is dialled (`checked-connector.ts`). Nothing is repeated by itself, nothing is read from the
 * environment, no connection, cookie or credential is kept from one call to the next. Bodies are streamed both ways, answers
 * without their content codings; every call has an end in time and in bytes.
 */
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { checkUrl } from './check-url.ts'
import { checkedConnector } from './checked-connector.ts'
import { answered } from './fetch-answered.ts'
import { withoutCodings } from './fetch-coding.ts'
import { FetchError } from './fetch-error.ts'
import { type FetchCause, fetchErrorOf } from './fetch-error-of.ts'
import type { FetchPolicy } from './fetch-policy.ts'
import { userAgent } from './fetch-user-agent.ts'

/** Bytes of an answer's head: what Node's own server allows a request. */
const MAX_HEAD_BYTES = 16_384

/** What may follow a redirect to another origin: nothing in which a secret can stand. */
const PUBLIC_HEADERS: readonly string[] = ['accept', 'accept-encoding', 'accept-language', 'range', 'user-agent']

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

export interface UntrustedRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /** Under lower-case names. Whatever is a secret among them stays with the origin that it was meant for. */
  readonly headers?: Readonly<Record<string, string>>
  /** A stream is read once; give its `content-length` where the receiver needs one. It is destroyed if it is not used up. */
  readonly body?: Buffer | Readable
  /** For GET and HEAD; by default none: a redirect is then an answer like any other. */
  readonly maxRedirects?: number
  /** From the call to the last byte of the answer, redirects included. */
  readonly timeoutMs: number
  /** Bytes of the answer's body, as it came and without its content codings; the one beyond throws `too_large`. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

/** Dispose of it when done, read to the end or not: that closes the connection. */
export interface UntrustedAnswer extends AsyncDisposable {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Where the answer came from in the end. */
  readonly url: string
  /** To be read once. Throws a `FetchError` when it is cut off, too large or too slow. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * Calls an untrusted URL. The answer may have any status.
 * @throws FetchError where there is none.
 */
export async function fetchUntrusted(request: UntrustedRequest, policy: FetchPolicy): Promise<UntrustedAnswer> {
  const { maxRedirects = 0, body } = request
  if (maxRedirects > 0 && (body !== undefined || !['GET', 'HEAD'].includes(request.method))) {
    throw new TypeError(`a ${request.method} is not repeated elsewhere: it follows no redirects`)
  }
  const end = startClock(request)
  let headers: Readonly<Record<string, string>> = {
    accept: '*/*',
    // Pictures and videos are compressed already. What comes compressed all the same is undone.
    'accept-encoding': 'identity',
    'user-agent': policy.userAgent ?? userAgent(),
    ...request.headers,
  }
  try {
    let url = checked(request.url, policy)
    for (let redirects = 0; ; redirects += 1) {
      const answer = await hop({ request, headers, url, policy, end })
      const location = maxRedirects > 0 && REDIRECTS.includes(answer.status) ? answer.headers.location : undefined
      if (location === undefined) return answer
      await answer.close()
      if (redirects === maxRedirects) throw new FetchError('too_many_redirects', 'There are too many redirects.')
      const next = checked(URL.canParse(location, url.href) ? new URL(location, url).href : location, policy)
      if (next.origin !== url.origin) headers = publicHeaders(headers)
      url = next
    }
  } catch (error) {
    end.stop()
    if (body !== undefined && 'destroy' in body) body.destroy()
    throw error
  }
}

function checked(text: string, policy: FetchPolicy): URL {
  const verdict = checkUrl(text, policy)
  if (verdict.kind === 'accepted') return verdict.url
  throw new FetchError('url_refused', `The URL may not be called; allowed: ${verdict.allowed}.`)
}

function publicHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => PUBLIC_HEADERS.includes(name.toLowerCase())))
}

/** What ends a call before its time. */
interface CallEnd {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly stop: () => void
}

/** Not by `AbortSignal.any`, which in Node 20 stays with a signal that lives as long as the process. */
function startClock({ timeoutMs, signal }: UntrustedRequest): CallEnd {
  const over = new AbortController()
  const giveUp = () => over.abort(new FetchError('aborted', 'The call was given up.'))
  const stop = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
  const timer = setTimeout(() => {
    stop()
    over.abort(new FetchError('timeout', `There was no whole answer within ${timeoutMs} ms.`))
  }, timeoutMs)
  signal?.addEventListener('abort', giveUp)
  if (signal?.aborted === true) giveUp()
  return { signal: over.signal, timeoutMs, stop }
}

/** An answer whose connection can be closed while the call goes on elsewhere. */
interface HopAnswer extends UntrustedAnswer {
  readonly close: () => Promise<void>
}

/** One request on a connection of its own. */
async function hop(about: {
  /** Its URL and headers are those of the first hop. */
  request: UntrustedRequest
  headers: Readonly<Record<string, string>>
  url: URL
  policy: FetchPolicy
  end: CallEnd
}): Promise<HopAnswer> {
  const { request, headers, url, policy, end } = about
  const cause: FetchCause = { hostname: url.hostname, signal: end.signal, sent: 'no' }
  const connect = checkedConnector(policy)
  const { protocol, hostname, host, port } = url
  const options: RequestOptions = {
    protocol,
    method: request.method,
    host: hostname,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host },
    maxHeaderSize: MAX_HEAD_BYTES,
    signal: end.signal,
    // Without an agent, which is never asked where there is this: neither pooled nor kept open.
    createConnection: (_options, callback) => {
      // Without the brackets of an IPv6 address, which are the URL's and not the address's.
      connect({ protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), host, port }, (...[error, socket]) => {
        if (error !== null) return callback(error, new Socket())
        cause.sent = 'maybe'
        callback(null, socket)
      })
      return undefined
    },
  }
  const call = (protocol === 'https:' ? httpsRequest : httpRequest)(options)
  try {
    return answerOf({
      answer: await answered(call, { body: request.body, signal: end.signal }),
      call,
      url,
      end,
      cause,
      maxBytes: request.maxBytes,
    })
  } catch (error) {
    call.destroy()
    throw fetchErrorOf(error, cause)
  }
}

function answerOf(about: {
  answer: IncomingMessage
  call: ClientRequest
  url: URL
  end: CallEnd
  cause: FetchCause
  maxBytes: number
}): HopAnswer {
  const { answer, call, url, end, cause, maxBytes } = about
  const { statusCode: status = 0, headers } = answer
  const close = async () => {
    answer.destroy()
    call.destroy()
  }
  return {
    status,
    headers,
    url: url.href,
    body: capped(answer, { maxBytes, headers, cause }),
    close,
    [Symbol.asyncDispose]: async () => {
      end.stop()
      await close()
    },
  }
}

async function* capped(
  body: Readable,
  about: { maxBytes: number; headers: IncomingHttpHeaders; cause: FetchCause },
): AsyncGenerator<Buffer> {
  const { maxBytes, headers, cause } = about
  const { 'content-encoding': contentEncoding, 'content-length': declared = 0 } = headers
  try {
    if (Number(declared) > maxBytes) throw tooLarge(maxBytes)
    yield* withoutCodings({ body, contentEncoding, maxBytes })
  } catch (error) {
    throw fetchErrorOf(error, cause)
  }
}

function tooLarge(maxBytes: number): FetchError {
  return new FetchError('too_large', `The answer is larger than ${maxBytes} bytes.`, { sent: 'maybe' })
}
