/**
 * Turns for large JSON bodies. Such a body is held in memory whole, some 30 MB of pictures in base64, until its pictures
 * lie on the disk: so few are held at once, and of them few of one account. Who waits has not been read yet: the
 * connection itself holds the sender back.
 */
import type { IncomingMessage } from 'node:http'
import type { AccountId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { Turns } from '../isolation/turns.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'

/** Held at once by this process: some 100 MB each while they are parsed. */
const MAX_AT_ONCE = 8

/** Of one account, so that others find room. */
const MAX_OF_ACCOUNT = 2

/** Those that wait hold a connection each; beyond, one is told to come again. */
const MAX_WAITING = 200
const RETRY_SECONDS = 10

export class LargeBodyTurns {
  readonly #turns = new Turns<AccountId>({ atOnce: MAX_AT_ONCE, ofOneKey: MAX_OF_ACCOUNT })

  /**
   * Waits for a turn where the request's body may be large; answers how to give it back, which may be done twice. Given
   * back by itself when the connection is gone. Throws a `rate_limited` refusal where too many wait already.
   */
  async take(account: AccountId, request: IncomingMessage): Promise<() => void> {
    if (!isLarge(request)) return () => {}
    if (this.#turns.waiting >= MAX_WAITING) {
      throw new Refusal('rate_limited', 'Too many large requests are being read at this moment; try again.', {
        retryAfterSeconds: RETRY_SECONDS,
      })
    }
    const gone = new AbortController()
    const leave = () => gone.abort()
    // Before waiting: a client that leaves while it waits gives up its place.
    request.socket.once('close', leave)
    if (request.socket.destroyed) leave()
    try {
      const giveBack = await this.#turns.take({ key: account, signal: gone.signal })
      gone.signal.addEventListener('abort', giveBack)
      if (gone.signal.aborted) giveBack()
      return () => {
        request.socket.off('close', leave)
        giveBack()
      }
    } catch {
      // It has left, and no body comes.
      return () => {}
    }
  }
}

/** Larger than a body without pictures may be, or of a length that is not said. Forms are not held in memory. */
function isLarge({ headers }: IncomingMessage): boolean {
  // Media types are alike in upper case and lower case, as the parser takes them.
  if (headers['content-type']?.toLowerCase().startsWith('application/json') !== true) return false
  const length = headers['content-length']
  return length === undefined || Number(length) > BODY_LIMIT_BYTES
}
