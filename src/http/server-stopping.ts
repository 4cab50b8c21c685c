import { Refusal } from '../canonical/refusal.ts'

/** Another node takes the next request at once; a single one is back within seconds. */
const RESTART_RETRY_SECONDS = 5

/** What a request is told that comes while the server stops, or whose work the stop ends. */
export function serverStopping(): Refusal {
  return new Refusal('unavailable', 'The server is being stopped; try again.', {
    retryAfterSeconds: RESTART_RETRY_SECONDS,
  })
}
