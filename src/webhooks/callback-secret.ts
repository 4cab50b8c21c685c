import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { AccountId } from '../canonical/ids.ts'
import { inTransaction, type Queryable } from '../db/database.ts'
import { deleteRetiredSecrets, insertSecret, lockAccount, retireSecret, selectSigningSecrets } from './queries.ts'

/** As long as the hash, as RFC 2104 advises; within the 24 to 64 of Standard Webhooks. */
const SECRET_BYTES = 32

/** For how long a replaced secret signs beside the new one: a day to bring the new one to every receiver. */
export const ROTATION_HOURS = 24

/** The secrets that an account's callbacks are signed with, the newest first. The first is made when first asked for. */
export async function signingSecrets(db: Queryable, account: AccountId): Promise<[Buffer, ...Buffer[]]> {
  for (;;) {
    const [newest, ...older] = await selectSigningSecrets(db, account)
    if (newest !== undefined) return [newest, ...older]
    // Whoever else does this at the same moment: one insert wins, and all read what it wrote.
    await insertSecret(db, account, randomBytes(SECRET_BYTES))
  }
}

/** Makes a new secret; the one before goes on signing beside it for a day. `undefined`: there is no such account. */
export async function rotateSecret(pool: pg.Pool, account: AccountId): Promise<Buffer | undefined> {
  return inTransaction(pool, async (db) => {
    if (!(await lockAccount(db, account))) return undefined
    await deleteRetiredSecrets(db, account)
    await retireSecret(db, account, ROTATION_HOURS)
    const secret = randomBytes(SECRET_BYTES)
    await insertSecret(db, account, secret)
    return secret
  })
}
