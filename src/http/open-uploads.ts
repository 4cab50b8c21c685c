/**
 * How many uploads an account has open in each of its modes. Each takes room on this disk, a connection, and a place among the files that wait
 * to be looked into, for as long as its sender likes to take. Unlike a large body, which is held back unread, one too
 * many is refused: it may take minutes before there is room.
 */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../canonical/refusal.ts'
import type { WalletId } from '../ledger/queries.ts'

/** Of one account and mode in this process: what fills a line of 100 Mbit/s with videos, while 200 MiB of disk are taken at most. */
export const MAX_OPEN_UPLOADS = 4

/** The largest file of all, at 40 Mbit/s; most are there in a second. */
const RETRY_SECONDS = 10

export class OpenUploads {
  readonly #open = new Map<WalletId, number>()

  /**
   * Counts an upload as open; answers how to close it, which may be done twice. Closed by itself when the connection is
   * gone. Throws a `rate_limited` refusal where the account has as many open as it may.
   */
  begin(wallet: WalletId, { socket }: Pick<IncomingMessage, 'socket'>): () => void {
    const open = this.#open.get(wallet) ?? 0
    if (open >= MAX_OPEN_UPLOADS) {
      const message = `This account has ${open} uploads under way, as many as it may; try again when one has ended.`
      throw new Refusal('rate_limited', message, { retryAfterSeconds: RETRY_SECONDS })
    }
    if (socket.destroyed) return () => {}
    this.#open.set(wallet, open + 1)
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      socket.off('close', end)
      this.#end(wallet)
    }
    socket.once('close', end)
    return end
  }

  #end(wallet: WalletId): void {
    const left = (this.#open.get(wallet) ?? 1) - 1
    if (left === 0) this.#open.delete(wallet)
    else this.#open.set(wallet, left)
  }
}
