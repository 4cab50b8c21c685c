/**
 * Turns for large JSON bodies. Such a body is held in memory whole, some 30 MB of pictures in base64, until its pictures
 * lie on the disk: so few are held at once, and of them few of one account. Who waits has not been read yet: the
 * connection itself holds the sender back.
 */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../canonical/refusal.ts'
import { NoTurn, Turns } from '../isolation/turns.ts'
import type { WalletId } from '../ledger/queries.ts'
import { knownLength } from './decode-body.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'

/** Held at once by this process: some 100 MB each while they are parsed. */
const MAX_AT_ONCE = 8

/** Of one account in one mode, so that others find room. */
const MAX_OF_ACCOUNT = 2

/** Of one account in one mode: each holds a connection. A client that sends more large requests than this at once is told to come again. */
export const MAX_WAITING_OF_ACCOUNT = 20
const RETRY_SECONDS = 10

/**
 * A request waits for its turn at most this long; from then on its body has the time of `end-slow-body.ts`. So one that never
 * sends anything has an end from its beginning, before the 5 minutes that the server gives to any request.
 */
const MAX_WAIT_MS = 60_000

export class LargeBodyTurns {
  readonly #turns = new Turns<WalletId>({
    atOnce: MAX_AT_ONCE,
    ofOneKey: MAX_OF_ACCOUNT,
    waitingOfOneKey: MAX_WAITING_OF_ACCOUNT,
    waitMs: MAX_WAIT_MS,
  })

  /**
   * Waits for a turn where the request's body may be large; answers how to give it back, which may be done twice, and
   * `undefined` where no turn is needed. Given back by itself when the connection is gone. Throws a refusal where the
   * account has too many requests that wait (`rate_limited`), or this one has waited for too long (`unavailable`).
   */
  async take(wallet: WalletId, request: IncomingMessage): Promise<(() => void) | undefined> {
    if (!isLarge(request)) return undefined
    const gone = new AbortController()
    const leave = () => gone.abort()
    // Before waiting: a client that leaves while it waits gives up its place.
    request.socket.once('close', leave)
    if (request.socket.destroyed) leave()
    try {
      const giveBack = await this.#turns.take({ key: wallet, signal: gone.signal })
      gone.signal.addEventListener('abort', giveBack)
      if (gone.signal.aborted) giveBack()
      return () => {
        request.socket.off('close', leave)
        giveBack()
      }
    } catch (error) {
      request.socket.off('close', leave)
      if (error instanceof NoTurn) throw refusalOf(error)
      // The client has left, and no body comes.
      return undefined
    }
  }
}

function refusalOf({ because }: NoTurn): Refusal {
  if (because === 'too many wait') {
    const message = `This account has ${MAX_OF_ACCOUNT} large requests that are being read and ${MAX_WAITING_OF_ACCOUNT} that wait, as many as it may; try again.`
    return new Refusal('rate_limited', message, { retryAfterSeconds: RETRY_SECONDS })
  }
  const message = 'Other large requests are still being read, and this one has waited too long; try again.'
  return new Refusal('unavailable', message, { retryAfterSeconds: RETRY_SECONDS })
}

/** Larger than a body without pictures may be, or of a length that is not said. Forms are not held in memory. */
function isLarge(request: IncomingMessage): boolean {
  // Media types are alike in upper case and lower case, as the parser takes them.
  if (request.headers['content-type']?.toLowerCase().startsWith('application/json') !== true) return false
  return !(knownLength(request) <= BODY_LIMIT_BYTES)
}
