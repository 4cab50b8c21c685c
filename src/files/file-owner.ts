import type { PlanName } from '../accounts/plans.ts'
import type { KeyHolder } from '../accounts/queries.ts'
import type { AccountId } from '../canonical/ids.ts'
import type { WalletId } from '../ledger/queries.ts'

/** Whose a file is: a wallet's, which is an account in one mode. What a test key brings no live key sees, and the other way round. */
export interface FileOwner {
  readonly account: AccountId
  readonly wallet: WalletId
  readonly plan: PlanName
}

export function fileOwnerOf({ account, walletId }: KeyHolder): FileOwner {
  return { account: account.id, wallet: walletId, plan: account.plan }
}
