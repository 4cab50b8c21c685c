/**
 * To come in: try the socket. If it answers, join (`lifecycle-session.ts`). If not, look at who has the number in the
 * lock file (`postmaster-file.ts`): a postmaster is waited for; nobody, or a stranger, means that one is to be
 * started. Whatever happens in between, be it another process that starts or stops it, is met by going round again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { locatePackage, prepareBinaries } from './binaries.ts'
import { ensureCluster } from './create-cluster.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import type { Layout } from './layout.ts'
import { joinUsers, leaveUsers } from './lifecycle-session.ts'
import type { EmbeddedPostgresOptions } from './open-embedded-postgres.ts'
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

/**
 * How long a database may take to let this process in. Recovery of 1 GB of log, or a slow disk at first start, takes
 * up to a minute; a stopping one is given up on after 65 s by its stopper.
 */
const OPEN_PATIENCE_MS = 120_000

/** A start seldom takes under 30 ms, so finer steps would gain nothing. */
const POLL_MS = 15

/** A share in the life of a database. */
export interface Joined {
  readonly session: pg.Client
  readonly socketDirectory: string
  /** The postmaster that was started on the way; another process's may have come first. */
  readonly startedPid: number | undefined
}

/** Goes round until the database lets this process in, or `signal` aborts. */
export async function joinDatabase(
  layout: Layout,
  options: EmbeddedPostgresOptions,
  signal?: AbortSignal,
): Promise<Joined> {
  const deadline = Date.now() + OPEN_PATIENCE_MS
  let started: StartedPostmaster | undefined
  for (;;) {
    signal?.throwIfAborted()
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

/** Leaves by the session that is there, or by a new one if it broke: its loss may have left PostgreSQL running alone. */
export async function leaveDatabase(layout: Layout, session: pg.Client): Promise<void> {
  const parting = await leaveUsers(session).catch(() => 'broken' as const)
  // The session, and so the lock that keeps newcomers waiting, is held until PostgreSQL is gone.
  if (parting === 'last') await stopPostmaster(layout.cluster)
  await session.end().catch(() => undefined)
  if (parting !== 'broken') return
  const socketDirectory = socketDirectoryOf(await readPostmasterFile(layout.cluster), layout)
  const joining = await joinUsers(socketDirectory, layout.cluster)
  if (joining.kind === 'joined') await leaveDatabase(layout, joining.session)
}
