import type { AccountId } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'

/** Files of an account that take all of their time before it has to wait: a broken file may be sent again by mistake. */
const FREE_OF_WAITING = 2

/** How long it then waits; twice as long for each further one. */
const FIRST_WAIT_MS = 60_000
const LONGEST_WAIT_MS = 15 * 60_000

interface Wasted {
  readonly count: number
  /** From when on files of the account are looked into again. */
  readonly until: number
  /** From when on nothing is held against it. */
  readonly forgottenAt: number
}

/**
 * Which accounts have sent files that took all the time that an examination may take. Each holds a place for seconds, and
 * there are two: an account that sends one after the other is refused for a while, so that its place is free for others.
 */
export class WastedTurns {
  readonly #of = new Map<AccountId, Wasted>()
  readonly #now: () => number

  /** `now`: milliseconds, of any clock that does not go back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @throws Refusal `rate_limited` for an account that has to wait. */
  check(account: AccountId): void {
    const waitMs = (this.#of.get(account)?.until ?? 0) - this.#now()
    if (waitMs <= 0) return
    const retryAfterSeconds = Math.ceil(waitMs / 1_000)
    const message = `Too many files of this account took too long to look into; try again in ${retryAfterSeconds} s.`
    throw new Refusal('rate_limited', message, { retryAfterSeconds })
  }

  note(account: AccountId): void {
    const now = this.#now()
    for (const [other, { forgottenAt }] of this.#of) if (forgottenAt <= now) this.#of.delete(other)
    const count = (this.#of.get(account)?.count ?? 0) + 1
    const waitMs = count <= FREE_OF_WAITING ? 0 : FIRST_WAIT_MS * 2 ** (count - FREE_OF_WAITING - 1)
    const until = now + Math.min(waitMs, LONGEST_WAIT_MS)
    this.#of.set(account, { count, until, forgottenAt: until + LONGEST_WAIT_MS })
  }
}
