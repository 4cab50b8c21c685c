/**
 * What an installation knows itself by, and what happens to a database that is found to be a copy: an epoch begins, in which
 * whatever was open is parked until an operator decides. The original may have made, paid for and told of all of it since.
 */
import type pg from 'pg'
import { inTransaction, type Queryable } from './database.ts'
import { notePlace, type Place, selectPlace, wasCopied } from './place.ts'

/** The one row of `installation`. */
export interface Installation {
  /** Of the database and of its store, for life. */
  readonly id: string
  /** Goes up whenever the database is found to be a copy. */
  readonly epoch: number
  /** New with each epoch: tells two copies of one database apart. */
  readonly incarnation: string
  /** Goes up while a server runs; a store that has seen a higher one shows that the database was set back. */
  readonly mark: bigint
  /** Whether a store has had the identity of this installation. */
  readonly hasStore: boolean
}

/** What the beginning of an epoch has parked. */
export interface Parked {
  readonly epoch: number
  readonly tasks: bigint
  readonly deliveries: bigint
}

/** The identity of this installation, made on first use. Processes that start at once agree on it. */
export async function openInstallation(db: Queryable): Promise<Installation> {
  await db.query('insert into installation default values on conflict do nothing')
  const found = await selectInstallation(db)
  if (found === undefined) throw new Error('The identity of this installation was deleted while it was read.')
  return found
}

/** `undefined` before the first process has served. */
export async function selectInstallation(db: Queryable): Promise<Installation | undefined> {
  const { rows } = await db.query<{
    id: string
    epoch: number
    incarnation: string
    mark: bigint | string
    has_store: boolean
  }>('select id, epoch, incarnation, mark, store_since is not null as has_store from installation')
  const row = rows[0]
  if (row === undefined) return undefined
  const { id, epoch, incarnation, mark, has_store: hasStore } = row
  return { id, epoch, incarnation, mark: BigInt(mark), hasStore }
}

/**
 * Begins an epoch where the database was copied to `here` from where it was served before, and notes that it is served here.
 * Processes that start at once do so once. `undefined`: it is where it was.
 */
export function recognizeCopy(pool: pg.Pool, here: Place): Promise<Parked | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query('select from installation for update')
    const before = await selectPlace(client)
    const parked = before !== undefined && wasCopied(before, here) ? await beginEpoch(client, undefined) : undefined
    await notePlace(client, here)
    return parked
  })
}

/** Begins an epoch in a database that its store shows to be a copy, unless another process has done so since `seen` was read. */
export function succeedEpoch(pool: pg.Pool, seen: Installation): Promise<Parked | undefined> {
  return inTransaction(pool, async (client) => {
    await client.query('select from installation for update')
    const now = await selectInstallation(client)
    return now?.incarnation === seen.incarnation ? await beginEpoch(client, undefined) : undefined
  })
}

/** Begins an epoch in a database that is a copy, made at `copiedAt`; `undefined` where that is not known: its last sign of life. */
export async function beginEpoch(db: Queryable, copiedAt: string | undefined): Promise<Parked> {
  const { rows } = await db.query<{ epoch: number; tasks: string | bigint; deliveries: string | bigint }>(
    `select * from begin_epoch(
       least(now(), coalesce($1::timestamptz, (select max(seen_at) from workers), (select max(updated_at) from tasks), now())))`,
    [copiedAt ?? null],
  )
  const row = rows[0]
  if (row === undefined) throw new Error('begin_epoch gave no row')
  return { epoch: row.epoch, tasks: BigInt(row.tasks), deliveries: BigInt(row.deliveries) }
}

/** Notes one more minute of service. Returns the mark, which the store is to be given. */
export async function advanceMark(db: Queryable): Promise<Installation | undefined> {
  await db.query('update installation set mark = mark + 1')
  return await selectInstallation(db)
}

/** Notes that the store has the identity of this installation. */
export async function noteStore(db: Queryable): Promise<void> {
  await db.query('update installation set store_since = coalesce(store_since, now())')
}
