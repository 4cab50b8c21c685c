import type { ServerResponse } from 'node:http'
import { serverStopping } from './server-stopping.ts'

/** One for all: to make another costs more than all the rest of this. */
const NOBODY_WAITS = new DOMException('Nobody waits for this any more.', 'AbortError')

/** Of each server, the requests that are being answered: its end is listened for once. */
const underWay = new WeakMap<AbortSignal, Set<AbortController>>()

/**
 * Aborts when the client has left or the server stops; at the latest when the answer has been sent. The client may have
 * left before this is asked, while its key was looked up: its response has closed then, and will not say so again. Where the
 * server stops, the reason is the refusal that the client, which still waits, is to be told.
 */
export function whenNobodyWaits(response: ServerResponse, stopping: AbortSignal): AbortSignal {
  if (response.destroyed || response.closed) return AbortSignal.abort(NOBODY_WAITS)
  if (stopping.aborted) return AbortSignal.abort(serverStopping())
  const over = new AbortController()
  const requests = underWay.get(stopping) ?? listened(stopping)
  requests.add(over)
  response.once('close', () => {
    requests.delete(over)
    over.abort(NOBODY_WAITS)
  })
  return over.signal
}

function listened(stopping: AbortSignal): Set<AbortController> {
  const requests = new Set<AbortController>()
  underWay.set(stopping, requests)
  stopping.addEventListener('abort', () => {
    for (const over of requests) over.abort(serverStopping())
  })
  return requests
}
