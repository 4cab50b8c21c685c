/** Every statement of the ledger that stands alone. Reserve, capture and release are parts of creating and settling tasks. */
import { type AccountId, uuidOf } from '../canonical/ids.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'

/** The database's key of a wallet. */
export type WalletId = bigint

/** A wallet's balances in whole credits; `granted = available + held + spent`, always. */
export interface Balance {
  readonly granted: bigint
  readonly available: bigint
  readonly held: bigint
  readonly spent: bigint
}

export interface StatementLine extends Record<string, unknown> {
  readonly id: bigint
  readonly kind: 'grant' | 'revoke' | 'reserve' | 'capture' | 'release'
  readonly amount: bigint
  readonly task_id: string | null
  readonly note: string | null
  readonly created_at: Date
}

/** Makes the wallets of a new account, one for each mode, both empty. */
export async function insertWallets(db: Queryable, account: AccountId): Promise<void> {
  await db.query(`insert into wallets (account_id, mode) values ($1, 'live'), ($1, 'test')`, [uuidOf(account)])
}

export async function selectWallet(db: Queryable, account: AccountId, mode: WalletMode): Promise<WalletId | undefined> {
  const { rows } = await db.query<{ id: bigint }>('select id from wallets where account_id = $1 and mode = $2', [
    uuidOf(account),
    mode,
  ])
  return rows[0]?.id
}

export async function selectBalance(db: Queryable, wallet: WalletId): Promise<Balance | undefined> {
  const { rows } = await db.query<Balance>('select granted, available, held, spent from wallets where id = $1', [
    wallet,
  ])
  return rows[0]
}

export async function insertTransfer(
  db: Queryable,
  transfer: { wallet: WalletId; kind: 'grant' | 'revoke'; amount: bigint; note: string | undefined },
): Promise<void> {
  await db.query('insert into ledger_transfers (wallet_id, kind, amount, note) values ($1, $2, $3, $4)', [
    transfer.wallet,
    transfer.kind,
    transfer.amount,
    transfer.note ?? null,
  ])
}

/** A wallet's transfers, newest first. */
export async function selectStatement(db: Queryable, wallet: WalletId, limit: number): Promise<StatementLine[]> {
  const { rows } = await db.query<StatementLine>(
    `select id, kind, amount, task_id, note, created_at from ledger_transfers
     where wallet_id = $1 order by id desc limit $2`,
    [wallet, limit],
  )
  return rows
}
