/**
 * Reelay's own PostgreSQL, for installations that bring none. Several processes may open one directory; PostgreSQL
 * runs while at least one of them does, and the last one out stops it. If they are all killed it goes on alone, and
 * the next process adopts it.
 *
 * The session by which a process has its share may break at any time: its backend is ended or killed, PostgreSQL crashes and
 * recovers, or is killed itself. Then the process joins again, starting PostgreSQL where need be, for as long as it takes: what
 * waits for the database meanwhile is told that it is away. Only another server on the directory is a reason to end.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { DATABASE_USER } from './create-cluster.ts'
import { DataDirectoryInUse, EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.ts'
import { type Joined, joinDatabase, leaveDatabase } from './join-database.ts'
import { type Layout, prepareLayout, SOCKET_PORT } from './layout.ts'
import { serverLockHolder, tryServerLock } from './lifecycle-session.ts'
import { readPostmasterFile } from './postmaster-file.ts'

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
  /** Calls back each time that the database broke off, or could not be joined again yet, and when it is joined again. */
  onInterruption(callback: (interruption: Interruption) => void): void
  /** Calls back, once, when the database cannot be joined any more; at once if that is so already. */
  onLost(callback: (reason: Error) => void): void
}

/** The database of the application; created with the cluster. */
const APPLICATION_DATABASE = 'reelay'

/** A server that is killed frees its lock within milliseconds; one that drains takes a few seconds. */
const SERVER_CLAIM_PATIENCE_MS = 5_000
const SERVER_CLAIM_POLL_MS = 50

/** The database broke off, with what is known of why; or it is joined again. */
export type Interruption = { readonly kind: 'broken_off'; readonly reason: Error } | { readonly kind: 'joined_again' }

/** Between attempts to join again: soon after a crash, which PostgreSQL recovers from within a second, and ever more rarely. */
const REJOIN_FIRST_MS = 100
const REJOIN_AT_MOST_MS = 10_000

/** What no later attempt would change. */
const FINAL: readonly EmbeddedPostgresErrorCode[] = [
  'unsupported_platform',
  'binaries_missing',
  'binaries_unusable',
  'foreign_directory',
  'directory_not_accessible',
  'data_directory_in_use',
]

/**
 * Joins the database in a directory: adopts it if it runs, starts it if not, creates it if there is none.
 * First start about 1 s, later starts well below 0.5 s.
 * @throws EmbeddedPostgresError with sentences for the operator.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const layout = await prepareLayout(options.directory)
  const first = await joinDatabase(layout, options)
  const share = new Share({ layout, options, first })
  const pid = await share.prepare().catch(async (error: unknown) => {
    await share[Symbol.asyncDispose]()
    throw error
  })
  const { socketDirectory } = first
  return {
    connectionString: `postgresql://${DATABASE_USER}@localhost:${SOCKET_PORT}/${APPLICATION_DATABASE}?host=${encodeURIComponent(socketDirectory)}`,
    adopted: pid !== first.startedPid,
    get pid() {
      return share.pid
    },
    claimServer: () => share.claimServer(),
    onInterruption: (callback) => share.onInterruption(callback),
    onLost: (callback) => share.onLost(callback),
    [Symbol.asyncDispose]: () => share[Symbol.asyncDispose](),
  }
}

/** The share of this process in a running database, over all sessions by which it has had it. */
class Share implements AsyncDisposable {
  readonly #layout: Layout
  readonly #options: EmbeddedPostgresOptions
  readonly #socketDirectory: string
  readonly #interrupted: ((interruption: Interruption) => void)[] = []
  readonly #listeners: ((reason: Error) => void)[] = []
  readonly #leaving = new AbortController()
  #session: pg.Client
  #pid = 0
  #isServer = false
  #lost: Error | undefined
  #rejoining: Promise<void> = Promise.resolve()
  #left: Promise<void> | undefined

  constructor(about: { layout: Layout; options: EmbeddedPostgresOptions; first: Joined }) {
    this.#layout = about.layout
    this.#options = about.options
    this.#socketDirectory = about.first.socketDirectory
    this.#session = about.first.session
    this.#watch(about.first.session)
  }

  get pid(): number {
    return this.#pid
  }

  /** Makes sure that the application's database is there; the postmaster's process. */
  async prepare(): Promise<number> {
    this.#pid = await prepareDatabase(this.#layout, this.#session)
    return this.#pid
  }

  async claimServer(): Promise<void> {
    await claimServerLock(this.#layout, this.#session)
    this.#isServer = true
  }

  onInterruption(callback: (interruption: Interruption) => void): void {
    this.#interrupted.push(callback)
  }

  onLost(callback: (reason: Error) => void): void {
    if (this.#lost === undefined) this.#listeners.push(callback)
    else callback(this.#lost)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort()
    this.#left ??= this.#rejoining.then(() => leaveDatabase(this.#layout, this.#session))
    await this.#left
  }

  #watch(session: pg.Client): void {
    let cause: Error | undefined
    session.on('error', (error) => {
      cause ??= error
    })
    session.once('end', () => {
      if (this.#leaving.signal.aborted) return
      this.#tell({ kind: 'broken_off', reason: this.#brokenOff(cause) })
      this.#rejoining = this.#rejoin()
    })
  }

  /** Never throws. */
  async #rejoin(): Promise<void> {
    const { signal } = this.#leaving
    for (let waitMs = REJOIN_FIRST_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, REJOIN_AT_MOST_MS)) {
      try {
        await this.#joinAgain(signal)
        return
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof EmbeddedPostgresError && FINAL.includes(error.code)) return this.#lose(error)
        this.#tell({ kind: 'broken_off', reason: this.#brokenOff(error) })
      }
      await delay(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #joinAgain(signal: AbortSignal): Promise<void> {
    const { session, socketDirectory } = await joinDatabase(this.#layout, this.#options, signal)
    let hasEnded = false
    session.once('end', () => {
      hasEnded = true
    })
    try {
      if (socketDirectory !== this.#socketDirectory) throw this.#movedAway(socketDirectory)
      if (this.#isServer) await claimServerLock(this.#layout, session)
      const file = await readPostmasterFile(this.#layout.cluster)
      this.#pid = file?.pid ?? this.#pid
      if (hasEnded) throw new Error('the connection broke')
    } catch (error) {
      await session.end().catch(() => undefined)
      throw error
    }
    this.#session = session
    this.#watch(session)
    this.#tell({ kind: 'joined_again' })
  }

  #tell(interruption: Interruption): void {
    for (const callback of this.#interrupted) callback(interruption)
  }

  #lose(reason: Error): void {
    this.#lost = reason
    for (const listener of this.#listeners.splice(0)) listener(reason)
  }

  #brokenOff(cause: unknown): Error {
    const { directory, log } = this.#layout
    return new Error(`The embedded PostgreSQL in ${directory} broke off. Its log is ${log}`, { cause })
  }

  #movedAway(socketDirectory: string): EmbeddedPostgresError {
    return new EmbeddedPostgresError(
      'foreign_directory',
      `The PostgreSQL in ${this.#layout.directory} was started anew with its socket in ${socketDirectory}. Start Reelay again.`,
    )
  }
}

async function claimServerLock(layout: Layout, session: pg.Client): Promise<void> {
  const deadline = Date.now() + SERVER_CLAIM_PATIENCE_MS
  while (!(await tryServerLock(session))) {
    if (Date.now() > deadline) throw new DataDirectoryInUse(layout.directory, await serverLockHolder(session))
    await delay(SERVER_CLAIM_POLL_MS)
  }
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
