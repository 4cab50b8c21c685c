/**
 * Turns at the database for what customers read, list, cancel and delete. All of this process share one pool of connections:
 * without shares, the slow statements of one account would hold each of them, and everything else would wait: other
 * accounts' requests, the worker, and the question whether the server is ready.
 */
import type pg from 'pg'
import { Refusal } from '../canonical/refusal.ts'
import type { Queryable } from '../db/database.ts'
import { untilLeaving } from '../db/until-leaving.ts'
import { NoTurn, Turns } from '../isolation/turns.ts'
import type { WalletId } from '../ledger/queries.ts'

/** Of the connections of a pool that creates and the worker use, too: so many are left for these. */
const LEFT_FOR_OTHERS = 4

/** Of one account in one mode. A read takes a millisecond: four at a time are thousands a second. */
const MAX_OF_ACCOUNT = 4

/** Of one account in one mode at a pool of `connections`: others have their share of the smallest pool, too. */
const shareOfAccount = (connections: number) => Math.max(1, Math.min(MAX_OF_ACCOUNT, Math.floor(connections / 2)))

/** Of one account in one mode: about what the largest plan may ask in ten seconds. */
const MAX_WAITING_OF_ACCOUNT = 1_000

/** As long as any other statement waits for a connection. */
const MAX_WAIT_MS = 10_000

/** Statements that took so long are over by then, or have been ended. */
const RETRY_SECONDS = 5

/** Whose turn it is, and the signal that aborts when its client has left. */
export interface Reader {
  readonly wallet: WalletId
  readonly leaving: AbortSignal
}

export class DatabaseTurns {
  readonly #pool: pg.Pool
  readonly #turns: Turns<WalletId>

  /** `shared`: creates and the worker use the pool, too; `own`: statements of customers have it to themselves. */
  constructor(pool: pg.Pool, use: 'shared' | 'own') {
    this.#pool = pool
    const { max } = pool.options
    const atOnce = use === 'own' ? max : Math.max(1, max - LEFT_FOR_OTHERS)
    this.#turns = new Turns({
      atOnce,
      ofOneKey: shareOfAccount(atOnce),
      waitingOfOneKey: MAX_WAITING_OF_ACCOUNT,
      waitMs: MAX_WAIT_MS,
    })
  }

  /**
   * Runs a statement for a customer once it has a turn. One turn is one connection: `work` runs its statements one after
   * the other. Throws an `unavailable` refusal where the account's other statements keep it waiting for too long.
   */
  async run<T>(wallet: WalletId, work: (db: pg.Pool) => Promise<T>): Promise<T> {
    const release = this.#turns.tryTake(wallet) ?? (await this.#wait(wallet))
    try {
      return await work(this.#pool)
    } finally {
      release()
    }
  }

  /** As `run`, for what is of no use once its client has left: then its turn is given up, and its statement ended. */
  async read<T>({ wallet, leaving }: Reader, work: (db: Queryable) => Promise<T>): Promise<T> {
    const release = this.#turns.tryTake(wallet) ?? (await this.#wait(wallet, leaving))
    try {
      return await work(untilLeaving(this.#pool, leaving))
    } finally {
      release()
    }
  }

  async #wait(wallet: WalletId, signal?: AbortSignal): Promise<() => void> {
    try {
      return await this.#turns.take({ key: wallet, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      if (!(error instanceof NoTurn)) throw error
      const message = 'Too many requests of this account are being answered at this moment; try again.'
      throw new Refusal('unavailable', message, { cause: error, retryAfterSeconds: RETRY_SECONDS })
    }
  }
}
