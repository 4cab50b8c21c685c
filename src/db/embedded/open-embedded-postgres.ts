/**
 * Reelay's own PostgreSQL, for installations that bring none. Several processes may open one directory; PostgreSQL
 * runs while at least one of them does, and the last one out stops it. If they are all killed it goes on alone, and
 * the next process adopts it.
 *
 * To come in: try the socket. If it answers, join (`lifecycle-session.ts`). If not, look at who has the number in the
 * lock file (`postmaster-file.ts`): a postmaster is waited for; nobody, or a stranger, means that one is to be
 * started. Whatever happens in between, be it another process that starts or stops it, is met by going round again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { locatePackage, prepareBinaries } from './binaries.ts'
import { DATABASE_USER, ensureCluster } from './create-cluster.ts'
import { DataDirectoryInUse, EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { type Layout, prepareLayout, SOCKET_PORT } from './layout.ts'
import { joinUsers, leaveUsers, serverLockHolder, tryServerLock } from './lifecycle-session.ts'
import {
  occupantOf,
  type PostmasterFile,
  readPostmasterFile,
  readSocketFile,
  retirePostmasterFile,
} from './postmaster-file.ts'
import { chooseRunAs, handOver } from './run-as.ts'
import { type StartedPostmaster, startPostmaster } from './start-postmaster.ts'
import { stopPostmaster } from './stop-postmaster.ts'

/** What to open. */
export interface EmbeddedPostgresOptions {
  /** Created (0700) if absent. Nothing else may be kept in it. */
  readonly directory: string
  /** `no` gives up crash safety for speed; for tests only. Holds until the server is next started. Default `yes`. */
  readonly durable?: 'yes' | 'no'
  /** `never` treats the system as one that forbids user namespaces; for tests. Default `if-possible`. */
  readonly userNamespace?: 'if-possible' | 'never'
  /** Where the programs are; default: the installed package. Also for tests. */
  readonly native?: string
}

/** A share in a running database. Dispose of it after every pool on it is closed: the last share stops PostgreSQL. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** The application's database, over the unix socket, as a URL for `pg`, `psql` and the like. */
  readonly connectionString: string
  /** Whether it was running already, be it another process's or an orphan. */
  readonly adopted: boolean
  /** The postmaster's process. */
  readonly pid: number
  /**
   * Makes this process the directory's one server.
   * @throws DataDirectoryInUse if another stays it for some seconds.
   */
  claimServer(): Promise<void>
  /** Calls back, once, when the database was lost (crashed, or killed); at once if it is lost already. */
  onLost(callback: (reason: Error) => void): void
}

/** The database of the application; created with the cluster. */
const APPLICATION_DATABASE = 'reelay'

/**
 * How long a database may take to let this process in. Recovery of 1 GB of log, or a slow disk at first start, takes
 * up to a minute; a stopping one is given up on after 65 s by its stopper.
 */
const OPEN_PATIENCE_MS = 120_000

/** A start seldom takes under 30 ms, so finer steps would gain nothing. */
const POLL_MS = 15

/** A server that is killed frees its lock within milliseconds; one that drains takes a few seconds. */
const SERVER_CLAIM_PATIENCE_MS = 5_000
const SERVER_CLAIM_POLL_MS = 50

/**
 * Joins the database in a directory: adopts it if it runs, starts it if not, creates it if there is none.
 * First start about 1 s, later starts well below 0.5 s.
 * @throws EmbeddedPostgresError with sentences for the operator.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const layout = await prepareLayout(options.directory)
  const { session, socketDirectory, startedPid } = await join(layout, options)
  let lost: Error | undefined
  let leaving: Promise<void> | undefined
  const listeners: ((reason: Error) => void)[] = []
  const lose = (cause: Error | undefined): void => {
    if (leaving !== undefined || lost !== undefined) return
    const message = `The embedded PostgreSQL in ${layout.directory} broke off. Its log is ${layout.log}`
    lost = new Error(message, cause === undefined ? {} : { cause })
    for (const listener of listeners.splice(0)) listener(lost)
  }
  session.on('error', lose)
  session.on('end', () => lose(undefined))
  const pid = await prepareDatabase(layout, session).catch(async (error: unknown) => {
    leaving = leave(layout, session)
    await leaving
    throw error
  })

  return {
    connectionString: `postgresql://${DATABASE_USER}@localhost:${SOCKET_PORT}/${APPLICATION_DATABASE}?host=${encodeURIComponent(socketDirectory)}`,
    adopted: pid !== startedPid,
    pid,
    async claimServer() {
      const deadline = Date.now() + SERVER_CLAIM_PATIENCE_MS
      while (!(await tryServerLock(session))) {
        if (Date.now() > deadline) throw new DataDirectoryInUse(layout.directory, await serverLockHolder(session))
        await delay(SERVER_CLAIM_POLL_MS)
      }
    },
    onLost(callback) {
      if (lost === undefined) listeners.push(callback)
      else callback(lost)
    },
    async [Symbol.asyncDispose]() {
      leaving ??= leave(layout, session)
      await leaving
    },
  }
}

interface Joined {
  readonly session: pg.Client
  readonly socketDirectory: string
  /** The postmaster that was started on the way; another process's may have come first. */
  readonly startedPid: number | undefined
}

/** Goes round until the database lets this process in. */
async function join(layout: Layout, options: EmbeddedPostgresOptions): Promise<Joined> {
  const deadline = Date.now() + OPEN_PATIENCE_MS
  let started: StartedPostmaster | undefined
  for (;;) {
    const file = await readPostmasterFile(layout.cluster)
    const socketDirectory = socketDirectoryOf(file, layout)
    const joining = await joinUsers(socketDirectory, layout.cluster)
    if (joining.kind === 'joined') return { session: joining.session, socketDirectory, startedPid: started?.pid }
    const end = await started?.ended()
    if (end?.kind === 'final') {
      throw new EmbeddedPostgresError('start_failed', `PostgreSQL did not start in ${layout.directory}: ${end.log}`)
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        'start_timed_out',
        `PostgreSQL in ${layout.directory} did not answer within ${OPEN_PATIENCE_MS / 1000} s (${joining.reason}). Its log is ${layout.log}`,
      )
    }
    if (end !== undefined) started = undefined
    const mayStart = joining.kind === 'nobody' && started === undefined
    if (mayStart && (await makeRoom(layout))) started = await start(layout, options)
    await delay(POLL_MS)
  }
}

/** The socket of a postmaster that was started with another temporary directory is where its lock file says. */
function socketDirectoryOf(file: PostmasterFile | undefined, layout: Layout): string {
  // A copied directory brings its original's file, which must not lead to the original's socket.
  if (file?.cluster !== layout.cluster) return layout.socketDirectory
  return file.socketDirectory ?? layout.socketDirectory
}

/**
 * Whether a postmaster may be started now: not while one has the cluster, be it only beginning or ending. Lock files
 * that would keep it from starting for no reason are removed.
 */
async function makeRoom(layout: Layout): Promise<boolean> {
  for (const file of [await readPostmasterFile(layout.cluster), await readSocketFile(layout.socketDirectory)]) {
    if (file === undefined) continue
    const occupant = await occupantOf(file, layout.cluster)
    if (occupant === 'postmaster') return false
    if (occupant === 'stranger') await retirePostmasterFile(file)
  }
  return true
}

async function start(layout: Layout, options: EmbeddedPostgresOptions): Promise<StartedPostmaster> {
  const { durable = 'yes', userNamespace = 'if-possible', native = locatePackage() } = options
  const runAs = await chooseRunAs(layout.directory, userNamespace)
  await handOver(layout.directory, runAs)
  const binaries = await prepareBinaries(native, layout.directory, runAs)
  await ensureCluster(layout, { binaries, runAs, durable })
  return await startPostmaster(layout, { binaries, runAs, durable })
}

/**
 * Makes the application's database if it is missing (two processes may find so at once: then one of them does).
 * @returns the postmaster's process.
 */
async function prepareDatabase(layout: Layout, session: pg.Client): Promise<number> {
  await ensureApplicationDatabase(session)
  const pid = (await readPostmasterFile(layout.cluster))?.pid
  if (pid !== undefined) return pid
  throw new EmbeddedPostgresError('start_failed', `PostgreSQL in ${layout.directory} stopped. Its log is ${layout.log}`)
}

async function ensureApplicationDatabase(session: pg.Client): Promise<void> {
  const { rowCount } = await session.query('SELECT FROM pg_database WHERE datname = $1', [APPLICATION_DATABASE])
  if (rowCount === 1) return
  await session.query(`CREATE DATABASE ${APPLICATION_DATABASE}`).catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505'))) throw error
  })
}

/** Leaves by the session that is there, or by a new one if it broke: its loss may have left PostgreSQL running alone. */
async function leave(layout: Layout, session: pg.Client): Promise<void> {
  const parting = await leaveUsers(session).catch(() => 'broken' as const)
  // The session, and so the lock that keeps newcomers waiting, is held until PostgreSQL is gone.
  if (parting === 'last') await stopPostmaster(layout.cluster)
  await session.end().catch(() => undefined)
  if (parting !== 'broken') return
  const socketDirectory = socketDirectoryOf(await readPostmasterFile(layout.cluster), layout)
  const joining = await joinUsers(socketDirectory, layout.cluster)
  if (joining.kind === 'joined') await leave(layout, joining.session)
}
