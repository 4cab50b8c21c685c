import { Transform } from 'node:stream'

/** How often an upload is looked at; a receiver that pauses for as long as a garbage collection or a failover is let go on. */
const WINDOW_MS = 30_000

/** Bytes that a receiver takes in each window at least, 280 kbit/s: a tenth of what an upload of 100 MB in its whole time needs. */
const MIN_WINDOW_BYTES = 1024 * 1024

/** A body on its way to a receiver, and the signal that aborts when the receiver is too slow. */
export interface WatchedUpload extends Disposable {
  readonly body: Transform
  readonly tooSlow: AbortSignal
}

/**
 * Watches how fast a receiver takes an upload: one that takes too little in a window, or has taken all and does not answer
 * within the next whole one, holds a place for nothing.
 */
export function watchUpload(
  { windowMs, minBytes } = { windowMs: WINDOW_MS, minBytes: MIN_WINDOW_BYTES },
): WatchedUpload {
  const tooSlow = new AbortController()
  let takenBytes = 0
  let wasAllTaken = false
  const body = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      takenBytes += chunk.length
      done(null, chunk)
    },
  })
  const look = setInterval(() => {
    const isAllTaken = body.readableEnded
    if (isAllTaken ? wasAllTaken : takenBytes < minBytes) tooSlow.abort()
    takenBytes = 0
    wasAllTaken = isAllTaken
  }, windowMs)
  return { body, tooSlow: tooSlow.signal, [Symbol.dispose]: () => clearInterval(look) }
}
