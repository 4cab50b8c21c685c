import type { Server } from 'node:http'
import type { AnswersUnderWay } from './answers-under-way.ts'

/**
 * A client that takes nothing of what lies ready for it for so long has gone, or keeps its connection, a descriptor and a buffer
 * of ours for nothing. A phone that changes its cell is back by then; a download that was cut goes on by a range.
 */
const STALLED_MS = 30_000

/**
 * Ends connections whose client stops reading: of a video, of a stream of lines, of a long list. One that takes anything, however
 * slowly, goes on, and so does one whose answer is not there yet: Node counts what the system has taken of the bytes that are
 * on their way as activity, and waiting for us as none.
 */
export function endStalledAnswers(server: Server, underWay: AnswersUnderWay, stalledMs = STALLED_MS): void {
  server.timeout = stalledMs
  // With a listener, Node leaves to it what becomes of the connection. It also hears of those that are kept alive for too long.
  server.on('timeout', (socket) => {
    const waitsForUs = underWay.has(socket) && socket.writableLength === 0
    if (!waitsForUs) socket.destroy()
  })
}
