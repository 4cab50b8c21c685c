import type pg from 'pg'
import { inTransaction, type Queryable } from '../db/database.ts'
import { createAccountWithin } from './create-account.ts'
import { hashSecret } from './key-secret.ts'
import { lockAccounts, selectAccounts, selectKeyHolder } from './queries.ts'

/** The key that automation names is not one of this installation; the message is one sentence for the operator. */
export class BootstrapRefused extends Error {
  override readonly name = 'BootstrapRefused'
}

/**
 * Makes the first account with the key that automation names, on the first start and on no later one. Several nodes may
 * start at once: the lock lets one of them do it. A key that is unknown where there are accounts throws
 * `BootstrapRefused`: a mistyped or changed variable must not be another account with its own balance.
 */
export async function ensureBootstrapAccount(
  pool: pg.Pool,
  wanted: { readonly key: string; readonly credits: bigint },
): Promise<'created' | 'known'> {
  const isKnown = async (db: Queryable) => (await selectKeyHolder(db, hashSecret(wanted.key))) !== undefined
  if (await isKnown(pool)) return 'known'
  return inTransaction(pool, async (db) => {
    await lockAccounts(db)
    if (await isKnown(db)) return 'known'
    if (await hasAccounts(db)) {
      throw new BootstrapRefused(
        'REELAY_BOOTSTRAP_KEY is not a key of this installation, which has accounts already; ' +
          'set the key that it was first started with, or unset the variable and use "reelay keys create".',
      )
    }
    await createAccountWithin(db, { ...FIRST_ACCOUNT, credits: wanted.credits, liveSecret: wanted.key })
    return 'created'
  })
}

/** The operator's own account: nothing is held back from it but what needs a decision. */
export const FIRST_ACCOUNT = { name: 'first account', plan: 'enterprise', spicyAllowed: false } as const

export async function hasAccounts(db: Queryable): Promise<boolean> {
  return (await selectAccounts(db)).length > 0
}
