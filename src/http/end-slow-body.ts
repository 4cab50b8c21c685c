import type { IncomingMessage } from 'node:http'

/** A client that sends a small body more slowly than this holds a connection for nothing. */
const SMALL_BODY_TIMEOUT_MS = 30_000

/** Cuts the connection of a request whose body does not come in whole in time. */
export function endSlowBody(request: IncomingMessage, timeoutMs = SMALL_BODY_TIMEOUT_MS): void {
  if (request.complete || !hasBody(request)) return
  const late = setTimeout(() => request.destroy(), timeoutMs)
  request.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late))
}

/** RFC 9112, 6.3: a request without either has none. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
