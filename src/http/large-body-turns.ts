/**
 * Turns for large JSON bodies. Such a body is held in memory whole, some 30 MB of pictures in base64, until its pictures
 * lie on the disk: so few are held at once, and of them few of one account. Who waits has not been read yet: the
 * connection itself holds the sender back.
 */
import type { IncomingMessage } from 'node:http'
import type { AccountId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'

/** Held at once by this process: some 100 MB each while they are parsed. */
const MAX_AT_ONCE = 8

/** Of one account, so that others find room. */
const MAX_OF_ACCOUNT = 2

/** Those that wait hold a connection each; beyond, one is told to come again. */
const MAX_WAITING = 200
const RETRY_SECONDS = 10

interface Waiting {
  readonly account: AccountId
  readonly begin: () => void
}

export class LargeBodyTurns {
  readonly #held = new Map<AccountId, number>()
  readonly #waiting: Waiting[] = []
  #all = 0

  /**
   * Waits for a turn where the request's body may be large; answers how to give it back, which may be done twice. Given
   * back by itself when the connection is gone. Throws a `rate_limited` refusal where too many wait already.
   */
  async take(account: AccountId, request: IncomingMessage): Promise<() => void> {
    if (!isLarge(request)) return () => {}
    if (this.#waiting.length >= MAX_WAITING) {
      throw new Refusal('rate_limited', 'Too many large requests are being read at this moment; try again.', {
        retryAfterSeconds: RETRY_SECONDS,
      })
    }
    let isOver = false
    const release = () => {
      if (isOver) return
      isOver = true
      const place = this.#waiting.findIndex(({ begin }) => begin === start)
      if (place >= 0) this.#waiting.splice(place, 1)
      else this.#release(account)
      start()
    }
    let start = () => {}
    const begun = new Promise<void>((resolve) => {
      start = resolve
    })
    // Before waiting: a client that leaves while it waits gives up its place.
    request.socket.once('close', release)
    if (this.#hasRoom(account)) this.#hold(account)
    else {
      this.#waiting.push({ account, begin: start })
      await begun
    }
    return () => {
      request.socket.off('close', release)
      release()
    }
  }

  #hasRoom(account: AccountId): boolean {
    return this.#all < MAX_AT_ONCE && (this.#held.get(account) ?? 0) < MAX_OF_ACCOUNT
  }

  #hold(account: AccountId): void {
    this.#all += 1
    this.#held.set(account, (this.#held.get(account) ?? 0) + 1)
  }

  #release(account: AccountId): void {
    this.#all -= 1
    const left = (this.#held.get(account) ?? 1) - 1
    if (left === 0) this.#held.delete(account)
    else this.#held.set(account, left)
    for (;;) {
      const next = this.#waiting.findIndex((each) => this.#hasRoom(each.account))
      const [waiting] = next < 0 ? [] : this.#waiting.splice(next, 1)
      if (waiting === undefined) return
      this.#hold(waiting.account)
      waiting.begin()
    }
  }
}

/** Larger than a body without pictures may be, or of a length that is not said. Forms are not held in memory. */
function isLarge({ headers }: IncomingMessage): boolean {
  if (headers['content-type']?.startsWith('application/json') !== true) return false
  const length = headers['content-length']
  return length === undefined || Number(length) > BODY_LIMIT_BYTES
}
