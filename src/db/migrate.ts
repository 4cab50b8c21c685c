/**
 * Brings a database to the schema of this code. Migrations are the files `NNNN-title.sql`, numbered from 0001 without
 * gaps, forward-only, never edited once released. Each runs in one transaction together with the row that records it,
 * so a file must not contain `commit` or what PostgreSQL refuses in a transaction (`create index concurrently`).
 *
 * A migration runs under nodes that serve. One that waits for a table's lock would have every later statement on that table
 * wait behind it, for as long as the longest transaction lasts, such as an export's. So it waits for a lock for a moment only,
 * is undone, and is tried again later.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'

/** A migration as it is recorded in the database. */
export interface AppliedMigration {
  /** The file's name, e.g. `0001-accounts.sql`. */
  readonly name: string
  /** SHA-256 of the file, in hex. */
  readonly sha256: string
}

interface MigrationFile extends AppliedMigration {
  readonly sql: string
}

/** The database is not one that this code may change or use. The message says why, and what to do. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused'
}

/** Where this code's migrations are. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('./migrations/', import.meta.url))

/** PostgreSQL 15, as `server_version_num`: the oldest that is supported by its makers for long enough, and tried here. */
const OLDEST_SERVER_VERSION = 150_000

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/

/** Key of the transaction lock under which one process at a time migrates: "Reel", "migr" in ASCII. */
const MIGRATION_LOCK = [0x5265656c, 0x6d696772] as const

/** Milliseconds for which a migration waits for a lock, and everything else on the table behind it. */
const LOCK_TIMEOUT_MS = 2_000

/** Milliseconds between two tries, doubled from the first to the last: others work for longer than they wait. */
const RETRY_MS = { first: 1_000, last: 15_000 }

/** Milliseconds after which a start gives up: an orchestrator then says so, and old nodes go on serving. */
const LOCK_PATIENCE_MS = 10 * 60_000

/** SQLSTATE of a lock that was waited for long enough. */
const LOCK_NOT_AVAILABLE = '55P03'

/** A migration did not get its locks, and is tried again. */
export interface LockWait {
  readonly migration: string
  /** Sessions with the oldest transactions: process ids of the server, and what they call themselves. */
  readonly blockers: readonly string[]
  readonly retryInMs: number
}

/**
 * Applies what is missing. Any number of processes may do so at once: each migration is applied by one of them, and
 * all return when the schema is complete. A connection of its own is used, without the pools' statement timeout.
 * @returns the names that this call applied, in order; empty if there was nothing to do.
 * @throws MigrationRefused before anything is changed, if the server is too old, if an applied file was edited or is
 *   gone, or if the database is newer than this code; and after ten minutes in which one did not get its locks. A migration
 *   that fails throws with its name and line, undone.
 */
export async function migrate(
  config: pg.ClientConfig,
  directory = MIGRATIONS_DIRECTORY,
  onLockWait?: (wait: LockWait) => void,
): Promise<string[]> {
  const files = await readMigrations(directory)
  return await withClient(config, async (client) => {
    const done: string[] = []
    const step = () => patiently(client, () => applyNext(client, files), onLockWait)
    for (let next = await step(); next !== undefined; next = await step()) done.push(next)
    return done
  })
}

/**
 * Changes nothing: for starts of nodes that leave migrating to `reelay migrate`.
 * @throws MigrationRefused unless every migration of this code, and no other, is applied.
 */
export async function assertMigrated(config: pg.ClientConfig, directory = MIGRATIONS_DIRECTORY): Promise<void> {
  const files = await readMigrations(directory)
  const applied = await withClient(config, async (client) => {
    const { rows } = await client.query<{ is_new: boolean }>(
      `select to_regclass('schema_migrations') is null as is_new`,
    )
    return rows[0]?.is_new === true ? [] : await appliedMigrations(client)
  })
  const next = nextMigration(files, applied)
  if (next === undefined) return
  throw new MigrationRefused(
    `The database lacks the migration ${next.name}, and REELAY_MIGRATE=check leaves it alone: run "reelay migrate" first.`,
  )
}

/** A connection of its own to a server that is new enough. */
async function withClient<T>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ application_name: 'reelay migrate', ...config })
  await client.connect()
  try {
    await assertServerVersion(client)
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Tries a step again for as long as it does not get its locks, ever less often. */
async function patiently<T>(
  client: pg.Client,
  step: () => Promise<T>,
  onLockWait: ((wait: LockWait) => void) | undefined,
): Promise<T> {
  const since = performance.now()
  for (let retryInMs = RETRY_MS.first; ; retryInMs = Math.min(2 * retryInMs, RETRY_MS.last)) {
    try {
      return await step()
    } catch (error) {
      if (!(error instanceof LocksHeld)) throw error
      const blockers = await oldestTransactions(client)
      if (performance.now() - since > LOCK_PATIENCE_MS) {
        throw new MigrationRefused(`${error.message} The oldest transactions are of ${blockers.join('; ')}.`)
      }
      onLockWait?.({ migration: error.migration, blockers, retryInMs })
      await delay(retryInMs)
    }
  }
}

/** A migration was undone because others held what it has to lock. */
class LocksHeld extends Error {
  readonly migration: string

  constructor(migration: string, cause: Error) {
    super(`The migration ${migration} did not get its locks: transactions of others hold them.`, { cause })
    this.migration = migration
  }
}

async function oldestTransactions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ session: string }>(
    `select format('process %s (%s), since %s', pid, coalesce(nullif(application_name, ''), 'unnamed'), xact_start) as session
     from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
     order by xact_start limit 3`,
  )
  return rows.map(({ session }) => session)
}

/** What is recorded as applied, in order. */
export async function appliedMigrations(database: Pick<pg.Client, 'query'>): Promise<AppliedMigration[]> {
  const { rows } = await database.query<AppliedMigration>('select name, sha256 from schema_migrations order by name')
  return rows
}

/** One transaction: takes the lock, looks what is missing, applies the first of it. */
async function applyNext(client: pg.Client, files: readonly MigrationFile[]): Promise<string | undefined> {
  await client.query('begin')
  try {
    // Not a session lock: that would be lost, or kept by a stranger, behind a pooler such as PgBouncer.
    await client.query('select pg_advisory_xact_lock($1, $2)', [...MIGRATION_LOCK])
    await client.query(`create table if not exists schema_migrations (
      name text primary key, sha256 text not null, applied_at timestamptz not null default now())`)
    const next = nextMigration(files, await appliedMigrations(client))
    if (next !== undefined) {
      await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
      await runFile(client, next)
      await client.query('insert into schema_migrations (name, sha256) values ($1, $2)', [next.name, next.sha256])
    }
    await client.query('commit')
    return next?.name
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/**
 * The first file that is not applied; `undefined` if all are.
 * @throws MigrationRefused unless what is applied is exactly the beginning of the files.
 */
function nextMigration(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): MigrationFile | undefined {
  for (const [index, { name, sha256 }] of applied.entries()) {
    const file = files[index]
    if (file === undefined || file.name > name) {
      throw new MigrationRefused(
        `The database has the migration ${name}, which this Reelay does not. ` +
          'If a newer Reelay made it, run that one; if the file was removed, put it back.',
      )
    }
    if (file.name < name) {
      throw new MigrationRefused(
        `${file.name} was added before ${name}, which is already applied. Give it the next free number.`,
      )
    }
    if (file.sha256 !== sha256) {
      throw new MigrationRefused(
        `${name} was changed after it was applied to this database. Put the file back, and write a new migration.`,
      )
    }
  }
  return files[applied.length]
}

async function readMigrations(directory: string): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()
  for (const [index, name] of names.entries()) {
    if (Number(FILE_NAME.exec(name)?.[1]) === index + 1) continue
    const expected = String(index + 1).padStart(4, '0')
    throw new MigrationRefused(`${name} in ${directory} should be called ${expected}-title.sql.`)
  }
  return await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(directory, name), 'utf8')
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function runFile(client: pg.Client, { name, sql }: MigrationFile): Promise<void> {
  try {
    await client.query(sql)
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError)) throw cause
    if (cause.code === LOCK_NOT_AVAILABLE) throw new LocksHeld(name, cause)
    const line = cause.position === undefined ? '' : `:${sql.slice(0, Number(cause.position)).split('\n').length}`
    throw new Error(`The migration ${name}${line} failed and was undone: ${cause.message}`, { cause })
  }
}

async function assertServerVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: number; text: string }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as text`,
  )
  const [version] = rows
  if (version !== undefined && version.number >= OLDEST_SERVER_VERSION) return
  throw new MigrationRefused(`The database is PostgreSQL ${version?.text}; Reelay needs 15 or newer.`)
}
