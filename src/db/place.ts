/**
 * Where a database lies. PostgreSQL numbers each cluster when it is made, so a dump that was read into another cluster, or into
 * another database of the same one, shows by itself. A copy of the files keeps that number: the embedded database is told from
 * its copy by the folder that it lies in.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Queryable } from './database.ts'

/** As it is kept in `installation.place`. */
export interface Place {
  /** The cluster's number and the database's; absent where the server does not tell the number. */
  readonly database?: string
  /** Of the embedded database. */
  readonly folder?: Folder
}

interface Folder {
  readonly path: string
  /** The inode of a file that PostgreSQL never writes again: a copy has another, a renamed folder has the same. */
  readonly file: string
  /** The machine's id, where it has one. */
  readonly machine: string
}

/** SQLSTATE of a function that this role may not call. */
const INSUFFICIENT_PRIVILEGE = '42501'

/** @param cluster the folder of the embedded database; `undefined` for one that `DATABASE_URL` names. */
export async function readPlace(db: Queryable, cluster: string | undefined): Promise<Place> {
  const database = await readDatabaseNumber(db)
  const folder = cluster === undefined ? undefined : await readFolder(cluster)
  return { ...(database === undefined ? {} : { database }), ...(folder === undefined ? {} : { folder }) }
}

/**
 * Whether a database that was at `before` and is at `now` was copied in between. A folder that was moved keeps its inode. One
 * whose path and machine are the same is the same: some file systems number their files anew whenever they are mounted.
 */
export function wasCopied(before: Place, now: Place): boolean {
  if (before.database !== undefined && now.database !== undefined && before.database !== now.database) return true
  const [then, here] = [before.folder, now.folder]
  if (then === undefined || here === undefined) return false
  return then.file !== here.file && (then.path !== here.path || then.machine !== here.machine)
}

/** Where the database was when this was last noted; `undefined` if it never was. */
export async function selectPlace(db: Queryable): Promise<Place | undefined> {
  const { rows } = await db.query<{ place: Place | null }>('select place from installation')
  return rows[0]?.place ?? undefined
}

export async function notePlace(db: Queryable, place: Place): Promise<void> {
  await db.query('update installation set place = $1 where place is distinct from $1', [JSON.stringify(place)])
}

async function readDatabaseNumber(db: Queryable): Promise<string | undefined> {
  try {
    const { rows } = await db.query<{ number: string }>(
      `select format('%s/%s', s.system_identifier, d.oid) as number
       from pg_control_system() s, pg_database d where d.datname = current_database()`,
    )
    return rows[0]?.number
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE) return undefined
    throw error
  }
}

async function readFolder(cluster: string): Promise<Folder> {
  const { ino } = await stat(join(cluster, 'PG_VERSION'), { bigint: true })
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return { path: cluster, file: ino.toString(), machine: machine.trim() }
}
