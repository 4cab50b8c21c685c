/**
 * The session by which a process takes part in the life of the embedded database, and the two locks of that life:
 *
 * - `users`, shared: held by every process that uses the database. Whoever leaves lets go of it and tries it
 *   exclusively; who gets it is alone, keeps it, and stops PostgreSQL. A newcomer who cannot share it waits: PostgreSQL
 *   is being stopped and will have to be started again.
 * - `server`, exclusive: held by the one server. CLI commands do not take it.
 *
 * Both are session locks of PostgreSQL, so they end with the process, however it ends, and no file can go stale.
 * They live in the `postgres` database (advisory locks are per database), which nothing else uses, so no clone or drop
 * of the application's database is in the way of this session.
 */
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { DATABASE_USER } from './create-cluster.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { SOCKET_PORT } from './layout.ts'
import { isClosedDirectory, ownersOf } from './socket-directory.ts'

/** What a try to join came to. */
export type Joining =
  /** The shared lock is held. */
  | { readonly kind: 'joined'; readonly session: pg.Client }
  /** A postmaster is there, and is starting, recovering, stopping or about to be stopped. */
  | { readonly kind: 'not_now'; readonly reason: string }
  /** Nobody answers at the socket. */
  | { readonly kind: 'nobody'; readonly reason: string }

/** First key of every advisory lock here: "Reel" in ASCII, so as not to meet a key of the application's. */
const LOCK_CLASS = 0x5265656c
const USERS_LOCK = 1
const SERVER_LOCK = 2

/** A local socket answers in milliseconds; a postmaster that accepts and is silent so long is stuck. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * cannot_connect_now (starting, stopping, recovering), admin_shutdown, crash_shutdown, too_many_connections; and what
 * the socket says when its other end goes.
 */
const NOT_NOW_CODES = ['57P03', '57P01', '57P02', '53300', 'ECONNRESET', 'EPIPE']
const NOBODY_CODES = ['ECONNREFUSED', 'ENOENT']

/** How to connect to any database at a socket. */
export function connectionAt(socketDirectory: string, database: string): pg.ClientConfig {
  return { host: socketDirectory, port: SOCKET_PORT, user: DATABASE_USER, database }
}

/**
 * Connects and takes the shared lock, without waiting. A cluster other than `cluster` at the socket throws. A socket in a directory
 * of another user, or one that is open to others, is not connected to: nobody of ours is there.
 */
export async function joinUsers(socketDirectory: string, cluster: string): Promise<Joining> {
  if (!(await isClosedDirectory(socketDirectory, await ownersOf(dirname(cluster))))) {
    return { kind: 'nobody', reason: `there is no ${socketDirectory} of Reelay's own user` }
  }
  const session = new pg.Client({
    ...connectionAt(socketDirectory, 'postgres'),
    application_name: `reelay, process ${process.pid}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  let broken = false
  // A postmaster that stops may break the connection at any moment, between two queries too.
  session.on('error', () => {
    broken = true
  })
  try {
    await session.connect()
    await assertCluster(session, cluster)
    if (await take(session, 'pg_try_advisory_lock_shared', USERS_LOCK)) return { kind: 'joined', session }
    await session.end()
    return { kind: 'not_now', reason: 'another process is stopping it' }
  } catch (error) {
    await session.end().catch(() => undefined)
    const joining = classify(error)
    if (joining !== undefined) return joining
    if (broken) return { kind: 'not_now', reason: 'the connection broke' }
    throw error
  }
}

/** Lets go of the shared lock. Whether this was the last process; then the database is this one's to stop. */
export async function leaveUsers(session: pg.Client): Promise<'last' | 'others_remain'> {
  await take(session, 'pg_advisory_unlock_shared', USERS_LOCK)
  return (await take(session, 'pg_try_advisory_lock', USERS_LOCK)) ? 'last' : 'others_remain'
}

/** Takes the server's lock if nobody has it. */
export async function tryServerLock(session: pg.Client): Promise<boolean> {
  return await take(session, 'pg_try_advisory_lock', SERVER_LOCK)
}

/** The `application_name` of the session that has the server's lock. */
export async function serverLockHolder(session: pg.Client): Promise<string | undefined> {
  const { rows } = await session.query<{ application_name: string }>(
    `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
     WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.objid = $2 AND l.granted`,
    [LOCK_CLASS, SERVER_LOCK],
  )
  return rows[0]?.application_name
}

type LockFunction = 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared' | 'pg_advisory_unlock_shared'

async function take(session: pg.Client, lockFunction: LockFunction, key: number): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>(`SELECT ${lockFunction}($1, $2) AS taken`, [LOCK_CLASS, key])
  return rows[0]?.taken ?? false
}

/** The socket may be another cluster's, where a directory was copied; `pg_control` begins with the cluster's number. */
async function assertCluster(session: pg.Client, cluster: string): Promise<void> {
  const { rows } = await session.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()')
  const file = await open(join(cluster, 'global', 'pg_control'))
  const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0).finally(() => file.close())
  if (buffer.readBigUInt64LE().toString() === rows[0]?.id) return
  throw new EmbeddedPostgresError(
    'foreign_directory',
    `The PostgreSQL that answers for ${cluster} serves another directory. Stop it, and start again.`,
  )
}

/** What PostgreSQL or the socket said, if that passes with time. */
function classify(error: unknown): Joining | undefined {
  if (!(error instanceof Error)) return undefined
  const { message: reason } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === undefined) {
    // `pg` gives no code to its own two: a connection closed under a query, and the time-out of a connection.
    return /^(Connection terminated|timeout expired)/.test(reason) ? { kind: 'not_now', reason } : undefined
  }
  if (NOBODY_CODES.includes(code)) return { kind: 'nobody', reason }
  return NOT_NOW_CODES.includes(code) ? { kind: 'not_now', reason } : undefined
}
