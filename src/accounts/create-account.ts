import type pg from 'pg'
import { newId } from '../canonical/ids.ts'
import { SCOPES } from '../canonical/scopes.ts'
import { inTransaction, type Queryable } from '../db/database.ts'
import { grant } from '../ledger/grant.ts'
import { insertWallets, selectWallet } from '../ledger/queries.ts'
import { createKey } from './create-key.ts'
import type { PlanName } from './plans.ts'
import { type Account, insertAccount, selectAccount } from './queries.ts'

/** Test credits that every account starts with: 1,000 generations at Rivya's price. They cost nobody anything. */
export const INITIAL_TEST_CREDITS = 10_000n

export interface NewAccount {
  readonly name: string
  readonly plan: PlanName
  /** Live credits to start with. */
  readonly credits: bigint
  readonly spicyAllowed: boolean
  /** In place of the plan's. */
  readonly requestsPerMinute?: number | undefined
  /** A live key made elsewhere (`REELAY_BOOTSTRAP_KEY`) instead of a fresh one. */
  readonly liveSecret?: string
}

export interface CreatedAccount {
  readonly account: Account
  /** Both keys in the clear, with all scopes. Shown once. */
  readonly liveKey: string
  readonly testKey: string
}

/** Makes an account with its two wallets and one key for each, in one transaction. */
export function createAccount(pool: pg.Pool, wanted: NewAccount): Promise<CreatedAccount> {
  return inTransaction(pool, (db) => createAccountWithin(db, wanted))
}

/** The same as a part of the caller's transaction. */
export async function createAccountWithin(db: Queryable, wanted: NewAccount): Promise<CreatedAccount> {
  const id = newId('acct')
  const { name, plan, spicyAllowed, requestsPerMinute } = wanted
  await insertAccount(db, { id, name, plan, spicyAllowed, requestsPerMinute })
  await insertWallets(db, id)
  const key = { account: id, name: 'first key', scopes: SCOPES, expiresInDays: undefined }
  const live = await createKey(db, { ...key, mode: 'live', secret: wanted.liveSecret })
  const test = await createKey(db, { ...key, mode: 'test' })
  const [liveWallet, testWallet, account] = [
    await selectWallet(db, id, 'live'),
    await selectWallet(db, id, 'test'),
    await selectAccount(db, id),
  ]
  if (liveWallet === undefined || testWallet === undefined || account === undefined) {
    throw new Error(`account ${id} was not written`)
  }
  if (wanted.credits > 0n) await grant(db, liveWallet, wanted.credits, 'initial credits')
  await grant(db, testWallet, INITIAL_TEST_CREDITS, 'initial test credits')
  return { account, liveKey: live.secret, testKey: test.secret }
}
