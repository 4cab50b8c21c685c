import type { IncomingMessage } from 'node:http'

/** A large body is looked at this often: as long as a whole small body has. A mobile phone that changes its cell is back by then. */
const WINDOW_MS = 30_000

/**
 * Bytes that come in each window at least, 70 kbit/s: a thirtieth of what a line of 2 Mbit/s brings, over which 50 MiB
 * take 210 s. How long it may take in all is the server's limit for every request,
 * and shorter for JSON: `end-slow-body.ts`.
 */
const MIN_WINDOW_BYTES = 256 * 1024

/**
 * Cuts the connection of a form, or of another large body, that stalls or comes on too slowly to be meant before it has come
 * in whole: so the turn, the disk or the place that it takes has an end.
 */
export function endStalledBody(
  request: IncomingMessage,
  { windowMs, minBytes } = { windowMs: WINDOW_MS, minBytes: MIN_WINDOW_BYTES },
): void {
  const { socket } = request
  let seenBytes = socket.bytesRead
  const look = setInterval(() => {
    const cameBytes = socket.bytesRead - seenBytes
    seenBytes = socket.bytesRead
    // What has come and is not read yet waits for us: a socket takes no more meanwhile.
    const waitsForUs = request.complete || request.readableLength > 0
    if (cameBytes < minBytes && !waitsForUs) request.destroy()
  }, windowMs)
  const clear = () => clearInterval(look)
  request.once('end', clear).once('close', clear)
}
