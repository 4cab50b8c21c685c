import type { Queryable } from '../db/database.ts'
import { insertTransfer, type WalletId } from './queries.ts'

/** Most credits in one grant: ten thousand million dollars' worth, and far below where 64-bit sums could overflow. */
export const MAX_GRANT_CREDITS = 999_999_999_999n

/** PostgreSQL's code for a violated CHECK: here, `available >= 0`. */
const CHECK_VIOLATION = '23514'

/** Gives credits to a wallet. */
export async function grant(db: Queryable, wallet: WalletId, amount: bigint, note?: string): Promise<void> {
  checkAmount(amount)
  await insertTransfer(db, { wallet, kind: 'grant', amount, note })
}

/** Takes back credits that are still available: a grant made by mistake. What is held or spent stays. */
export async function revoke(
  db: Queryable,
  wallet: WalletId,
  amount: bigint,
  note?: string,
): Promise<'revoked' | 'insufficient'> {
  checkAmount(amount)
  try {
    await insertTransfer(db, { wallet, kind: 'revoke', amount, note })
    return 'revoked'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === CHECK_VIOLATION) return 'insufficient'
    throw error
  }
}

function checkAmount(amount: bigint): void {
  if (amount < 1n || amount > MAX_GRANT_CREDITS) {
    throw new RangeError(`${amount} credits cannot be moved; allowed: 1 to ${MAX_GRANT_CREDITS}`)
  }
}
