/**
 * Answers to what Node's HTTP parser refuses by itself, before there is a request: in the form of the dialect that the path
 * belongs to, as far as it was read, with a request id and a line in the log.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { newId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { AnswersUnderWay } from './answers-under-way.ts'
import { refusalAnswer } from './refusal-answer.ts'

/** What the parser refuses, by the code of its error; the rest is a request that is no HTTP/1.1. */
const REASONS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The head of the request is too large; allowed: 16 KiB of path and headers.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The extensions of a chunk of the body are too large; allowed: 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time; send it again, faster.'],
}

/** The first line of a request, of which only the path is of use. */
const REQUEST_LINE = /^[!-~]{1,20} (\/[!-~]*)/

/** Bytes of what was refused in which the first line is looked for. */
const HEAD_BYTES = 2_048

interface ParseError extends Error {
  readonly code?: string | undefined
  /** What the parser was given last; a buffer, whatever Node's types say. */
  readonly rawPacket?: unknown
}

/**
 * For the event `clientError`. Always ends the connection: what follows on it cannot be told from the refused request. Says
 * nothing where an answer to an earlier request is being sent, of which it would become a part.
 */
export function answerUnparsed(
  error: ParseError,
  socket: Socket,
  { underWay, log }: { readonly underWay: Pick<AnswersUnderWay, 'hasBegun'>; readonly log: Pick<Logger, 'info'> },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable || underWay.hasBegun(socket)) {
    socket.destroy()
    return
  }
  const [status, message] = REASONS[error.code ?? ''] ?? [400, 'The request is not valid HTTP/1.1.']
  const { rawPacket } = error
  const line = REQUEST_LINE.exec(Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1', 0, HEAD_BYTES) : '')
  const { headers, text } = unparsedAnswer({ path: line?.[1] ?? '/', message, log, status, cause: error.code })
  const head = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${text}`)
}

/** For the event `checkExpectation`: an `Expect` other than `100-continue`. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse, log: Pick<Logger, 'info'>): void {
  const message = 'The Expect header asks for what this server does not do; allowed: 100-continue.'
  const about = { path: request.url ?? '/', message, log, status: 417, cause: 'expectation' }
  const { headers, text } = unparsedAnswer(about)
  response.writeHead(417, { ...headers, connection: 'close' }).end(text)
}

function unparsedAnswer(about: {
  readonly path: string
  readonly message: string
  readonly log: Pick<Logger, 'info'>
  readonly status: number
  readonly cause: string | undefined
}): { readonly headers: Readonly<Record<string, string>>; readonly text: string } {
  const { path, message, log, status, cause } = about
  const requestId = newId('req')
  const { body } = refusalAnswer(new Refusal('malformed_body', message), { path, requestId })
  log.info({ reqId: requestId, status, cause }, 'refused a request that could not be read')
  const text = JSON.stringify(body)
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  }
  return { headers, text }
}
