import type { IncomingMessage } from 'node:http'

/** A service that sends nothing for so long, while somebody waits for it, has forgotten the request. */
const SILENT_AT_MOST_MS = 60_000

/**
 * Ends an answer with an error when its sender falls silent. A reader who pauses is no silence of the sender: as long as
 * bytes lie ready the answer stays open.
 */
export function endWhenSilent(answer: IncomingMessage, silentAtMostMs: number = SILENT_AT_MOST_MS): void {
  const { socket } = answer
  const onSilence = () => {
    if (answer.readableLength > 0) socket.setTimeout(silentAtMostMs)
    else answer.destroy(new Error(`The answer stopped: nothing came for ${silentAtMostMs / 1000} s.`))
  }
  socket.setTimeout(silentAtMostMs).on('timeout', onSilence)
  // The socket outlives the answer, and may carry the next one.
  answer.once('close', () => socket.off('timeout', onSilence))
}
