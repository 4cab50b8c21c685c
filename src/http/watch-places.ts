/**
 * Places for requests that stay open until a task changes or ends: long polls and followed creates. Each is a connection and a
 * watched task. A long poll without a place is answered at once, which is all that its client was promised.
 */
import { Refusal } from '../canonical/refusal.ts'
import { Turns } from '../isolation/turns.ts'
import type { WalletId } from '../ledger/queries.ts'

/** Of this process: a thousand cost six per cent of a core, and as many connections as a system grants by default. */
const MAX_AT_ONCE = 4_096

/** Of one account in one mode: the largest plan has 50 tasks under way, each watched from as many places as a team has. */
const MAX_OF_ACCOUNT = 512

/** Tasks take a minute or so. */
const RETRY_SECONDS = 10

export class WatchPlaces {
  readonly #turns = new Turns<WalletId>({ atOnce: MAX_AT_ONCE, ofOneKey: MAX_OF_ACCOUNT })

  /** A place, and how to give it back, which may be done twice; `undefined` where the account has as many as it may. */
  tryTake(wallet: WalletId): (() => void) | undefined {
    return this.#turns.tryTake(wallet)
  }

  /** The same for a request that makes no sense without a place. Throws a `rate_limited` refusal where there is none. */
  take(wallet: WalletId): () => void {
    const release = this.tryTake(wallet)
    if (release !== undefined) return release
    const message =
      'This account has as many requests waiting for their videos as it may; create without waiting, and read.'
    throw new Refusal('rate_limited', message, { retryAfterSeconds: RETRY_SECONDS })
  }
}
