import type { ServerResponse } from 'node:http'

/**
 * Aborts when the client has left or the server stops; at the latest when the answer has been sent. The client may have
 * left before this is asked, while its key was looked up: its response has closed then, and will not say so again.
 */
export function whenNobodyWaits(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  if (stopping.aborted || response.destroyed || response.closed) return AbortSignal.abort()
  const over = new AbortController()
  const abort = () => over.abort()
  stopping.addEventListener('abort', abort)
  response.once('close', () => {
    stopping.removeEventListener('abort', abort)
    abort()
  })
  return over.signal
}
