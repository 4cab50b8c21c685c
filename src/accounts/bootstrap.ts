import type pg from 'pg'
import type { Queryable } from '../db/database.ts'
import { createAccount } from './create-account.ts'
import { hashSecret } from './key-secret.ts'
import { selectAccounts, selectKeyHolder } from './queries.ts'

/** PostgreSQL's code for a violated UNIQUE. */
const UNIQUE_VIOLATION = '23505'

/**
 * Makes the first account with the key that automation names, on the first start and on no later one. Several nodes may
 * start at once: the key's uniqueness lets one of them do it.
 */
export async function ensureBootstrapAccount(
  pool: pg.Pool,
  wanted: { readonly key: string; readonly credits: bigint },
): Promise<'created' | 'known'> {
  if ((await selectKeyHolder(pool, hashSecret(wanted.key))) !== undefined) return 'known'
  try {
    await createAccount(pool, { ...FIRST_ACCOUNT, credits: wanted.credits, liveSecret: wanted.key })
    return 'created'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return 'known'
    throw error
  }
}

/** The operator's own account: nothing is held back from it but what needs a decision. */
export const FIRST_ACCOUNT = { name: 'first account', plan: 'enterprise', spicyAllowed: false } as const

export async function hasAccounts(db: Queryable): Promise<boolean> {
  return (await selectAccounts(db)).length > 0
}
