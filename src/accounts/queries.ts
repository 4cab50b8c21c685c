/** Every statement about accounts and keys. */
import { type AccountId, type Id, idOf, type KeyId, uuidOf } from '../canonical/ids.ts'
import type { Scope } from '../canonical/scopes.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import type { PlanName } from './plans.ts'

export interface Account {
  readonly id: AccountId
  readonly name: string
  readonly plan: PlanName
  readonly spicyAllowed: boolean
  /** In place of the plan's; `undefined`: the plan's. */
  readonly requestsPerMinute: number | undefined
  readonly createdAt: Date
}

/** A key as it may be listed: everything but its secret. */
export interface ApiKey {
  readonly id: KeyId
  readonly account: AccountId
  readonly mode: WalletMode
  readonly name: string | undefined
  readonly prefix: string
  readonly scopes: readonly Scope[]
  readonly createdAt: Date
  readonly expiresAt: Date | undefined
  readonly revokedAt: Date | undefined
}

/** A key with what a request made with it needs to know. */
export interface KeyHolder {
  readonly key: ApiKey
  readonly account: Account
  readonly walletId: bigint
}

interface AccountRow {
  account_id: string
  account_name: string
  plan: PlanName
  spicy_allowed: boolean
  requests_per_minute: number | null
  account_created_at: Date
}

interface KeyRow {
  id: string
  account_id: string
  mode: WalletMode
  name: string | null
  prefix: string
  scopes: Scope[]
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}

const ACCOUNT_COLUMNS = `a.id as account_id, a.name as account_name, a.plan, a.spicy_allowed, a.requests_per_minute,
  a.created_at as account_created_at`
const KEY_COLUMNS = `k.id, k.account_id, k.mode, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.revoked_at`

export async function insertAccount(
  db: Queryable,
  account: {
    id: AccountId
    name: string
    plan: PlanName
    spicyAllowed: boolean
    requestsPerMinute?: number | undefined
  },
): Promise<void> {
  await db.query(
    'insert into accounts (id, name, plan, spicy_allowed, requests_per_minute) values ($1, $2, $3, $4, $5)',
    [uuidOf(account.id), account.name, account.plan, account.spicyAllowed, account.requestsPerMinute ?? null],
  )
}

/** Lets nobody else make an account until this transaction ends; reading them goes on. */
export async function lockAccounts(db: Queryable): Promise<void> {
  await db.query('lock table accounts in share row exclusive mode')
}

/** Accounts in the order in which they were made. */
export async function selectAccounts(db: Queryable): Promise<Account[]> {
  const { rows } = await db.query<AccountRow>(`select ${ACCOUNT_COLUMNS} from accounts a order by a.id`)
  return rows.map(accountOf)
}

export async function selectAccount(db: Queryable, id: AccountId): Promise<Account | undefined> {
  const { rows } = await db.query<AccountRow>(`select ${ACCOUNT_COLUMNS} from accounts a where a.id = $1`, [uuidOf(id)])
  return rows[0] === undefined ? undefined : accountOf(rows[0])
}

/** Changes what is given; tells whether the account exists. */
export async function updateAccount(
  db: Queryable,
  id: AccountId,
  change: {
    plan: PlanName | undefined
    spicyAllowed: boolean | undefined
    /** `plan`: no number of its own any more. */
    requestsPerMinute?: number | 'plan' | undefined
  },
): Promise<boolean> {
  const { requestsPerMinute } = change
  const { rowCount } = await db.query(
    `update accounts set plan = coalesce($2, plan), spicy_allowed = coalesce($3, spicy_allowed),
       requests_per_minute = case when $4::boolean then $5::integer else requests_per_minute end
     where id = $1`,
    [
      uuidOf(id),
      change.plan ?? null,
      change.spicyAllowed ?? null,
      requestsPerMinute !== undefined,
      requestsPerMinute === 'plan' ? null : (requestsPerMinute ?? null),
    ],
  )
  return rowCount === 1
}

export async function insertKey(
  db: Queryable,
  key: {
    id: KeyId
    account: AccountId
    mode: WalletMode
    name: string | undefined
    secretHash: Buffer
    prefix: string
    scopes: readonly Scope[]
    expiresInDays: number | undefined
  },
): Promise<ApiKey> {
  const { rows } = await db.query<KeyRow>(
    `insert into api_keys as k (id, account_id, mode, name, secret_hash, prefix, scopes, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(days => $8::integer)) returning ${KEY_COLUMNS}`,
    [
      uuidOf(key.id),
      uuidOf(key.account),
      key.mode,
      key.name ?? null,
      key.secretHash,
      key.prefix,
      key.scopes,
      key.expiresInDays ?? null,
    ],
  )
  if (rows[0] === undefined) throw new Error('insert … returning gave no row')
  return keyOf(rows[0])
}

export async function selectKeys(db: Queryable, account: AccountId): Promise<ApiKey[]> {
  const { rows } = await db.query<KeyRow>(
    `select ${KEY_COLUMNS} from api_keys k where k.account_id = $1 order by k.id`,
    [uuidOf(account)],
  )
  return rows.map(keyOf)
}

/** Revokes a key; a key that is revoked already keeps its time. Tells whether there is such a key. */
export async function revokeKey(db: Queryable, id: KeyId): Promise<boolean> {
  const { rowCount } = await db.query('update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1', [
    uuidOf(id),
  ])
  return rowCount === 1
}

/** The holder of a key, and whether the database's clock says that the key has expired. */
export interface FoundKeyHolder extends KeyHolder {
  readonly expired: boolean
}

export async function selectKeyHolder(db: Queryable, secretHash: Buffer): Promise<FoundKeyHolder | undefined> {
  return (await selectKeyHolders(db, [secretHash]))[0]
}

/** The holders of keys, in their order; `undefined` where there is no such key. */
export async function selectKeyHolders(
  db: Queryable,
  secretHashes: readonly Buffer[],
): Promise<(FoundKeyHolder | undefined)[]> {
  const { rows } = await db.query<AccountRow & KeyRow & { hash: string; wallet_id: bigint; expired: boolean }>({
    name: 'select-key-holders',
    text: `select encode(k.secret_hash, 'hex') as hash, ${KEY_COLUMNS}, ${ACCOUNT_COLUMNS}, w.id as wallet_id,
             coalesce(k.expires_at <= now(), false) as expired
           from api_keys k
           join accounts a on a.id = k.account_id
           join wallets w on w.account_id = a.id and w.mode = k.mode
           where k.secret_hash = any ($1::bytea[])`,
    values: [secretHashes],
  })
  const found = new Map(rows.map((row) => [row.hash, row]))
  return secretHashes.map((hash) => {
    const row = found.get(hash.toString('hex'))
    if (row === undefined) return undefined
    return { key: keyOf(row), account: accountOf(row), walletId: row.wallet_id, expired: row.expired }
  })
}

function accountOf(row: AccountRow): Account {
  return {
    id: idOf('acct', row.account_id),
    name: row.account_name,
    plan: row.plan,
    spicyAllowed: row.spicy_allowed,
    requestsPerMinute: row.requests_per_minute ?? undefined,
    createdAt: row.account_created_at,
  }
}

function keyOf(row: KeyRow): ApiKey {
  const id: Id<'key'> = idOf('key', row.id)
  return {
    id,
    account: idOf('acct', row.account_id),
    mode: row.mode,
    name: row.name ?? undefined,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  }
}
