import { type AccountId, newId } from '../canonical/ids.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import { hashSecret, newKeySecret, prefixOf } from './key-secret.ts'
import { type ApiKey, insertKey } from './queries.ts'

export interface NewKey {
  readonly account: AccountId
  readonly mode: WalletMode
  readonly name: string | undefined
  readonly scopes: readonly Scope[]
  /** `undefined`: it does not expire. */
  readonly expiresInDays: number | undefined
  readonly secret?: string | undefined
}

/** Makes a key. Its secret is in the answer and nowhere else: the database has only the hash. */
export async function createKey(db: Queryable, wanted: NewKey): Promise<{ key: ApiKey; secret: string }> {
  const secret = wanted.secret ?? newKeySecret(wanted.mode)
  const key = await insertKey(db, {
    id: newId('key'),
    account: wanted.account,
    mode: wanted.mode,
    name: wanted.name,
    secretHash: hashSecret(secret),
    prefix: prefixOf(secret),
    scopes: wanted.scopes,
    expiresInDays: wanted.expiresInDays,
  })
  return { key, secret }
}
