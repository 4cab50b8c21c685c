import type { ChildProcess } from 'node:child_process'
import { constants, type FileHandle, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { type Layout, SOCKET_PORT } from './layout.ts'
import { handOver, type RunAs, spawnAs } from './run-as.ts'
import { programEnvironment } from './run-program.ts'
import { isClosedDirectory } from './socket-directory.ts'

/** A log above this is set aside at the next start, so at most two are kept; warnings alone seldom fill one. */
const LOG_MAX_BYTES = 4 * 1024 * 1024

/** How much of the log an error message carries. */
const LOG_TAIL_CHARS = 1_000

/** What a beginning postmaster says when another still has the directory: it may be leaving, so that passes. */
const PASSING_FAILURE = /lock file ".*" (already exists|is empty)|pre-existing shared memory block/

/** Signals that are sent, and not the mark of a fault of its own. */
const STOPPING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGKILL']

/** A postmaster that was spawned here. It outlives this process unless it is stopped. */
export interface StartedPostmaster {
  /** `undefined` if it could not be spawned. */
  readonly pid: number | undefined
  /** How it ended, `passing` if it may be started again; `undefined` while it runs. */
  ended(): Promise<{ kind: 'passing' | 'final'; log: string } | undefined>
}

/** The server's settings. On the command line, so they change with the code and not with the age of a directory. */
function settings(layout: Layout, durable: 'yes' | 'no'): Record<string, string> {
  return {
    listen_addresses: '',
    port: String(SOCKET_PORT),
    // A list, so a name is quoted: it may hold a comma.
    unix_socket_directories: `"${layout.socketDirectory.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    fsync: durable === 'yes' ? 'on' : 'off',
    synchronous_commit: durable === 'yes' ? 'on' : 'off',
    full_page_writes: durable === 'yes' ? 'on' : 'off',
    // One server's pools, the workers and some CLI commands together stay far below; each slot costs memory.
    max_connections: '100',
    shared_buffers: '128MB',
    // Enough that a burst does not force checkpoints, little enough that recovery after a crash takes seconds.
    max_wal_size: '1GB',
    // Only short statements here, which compiling would slow down.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'off',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
  }
}

/**
 * Spawns a postmaster and returns at once; whether it comes up is seen by connecting. It is a session of its own, so
 * Ctrl-C in the terminal ends Reelay and not the database under it, and Reelay's death does not end it either.
 */
export async function startPostmaster(
  layout: Layout,
  { binaries, runAs, durable }: { binaries: Binaries; runAs: RunAs; durable: 'yes' | 'no' },
): Promise<StartedPostmaster> {
  await prepareSocketDirectory(layout, runAs)
  await setAsideLongLog(layout.log)
  const log = await openLog(layout.log, runAs)
  const logStart = (await log.stat()).size
  const settingArgs = Object.entries(settings(layout, durable)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawnAs(runAs, join(binaries.root, 'bin', 'postgres'), ['-D', layout.cluster, ...settingArgs], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    cwd: '/',
    env: programEnvironment(),
  })
  child.unref()
  // Before anything is awaited: one that ends at once would end unseen.
  const end = watchEnd(child)
  await log.close()
  return {
    pid: child.pid,
    async ended() {
      const how = end()
      if (how === undefined) return undefined
      // Another process may have set the log aside meanwhile.
      const written = (await readFile(layout.log).catch(() => Buffer.of())).subarray(logStart).toString('utf8')
      const kind = how.stopped || PASSING_FAILURE.test(written) ? 'passing' : 'final'
      return { kind, log: `${written.slice(-LOG_TAIL_CHARS).trim()} (${how.reason})` }
    },
  }
}

/** How the child ended, once it has. `stopped`: by somebody's wish, such as another process that came and left. */
function watchEnd(child: ChildProcess): () => { stopped: boolean; reason: string } | undefined {
  let end: { stopped: boolean; reason: string } | undefined
  child.on('error', (error) => {
    end = { stopped: false, reason: error.message }
  })
  child.on('exit', (code, signal) => {
    const stopped = code === 0 || (signal !== null && STOPPING_SIGNALS.includes(signal))
    end = { stopped, reason: `ended with ${signal ?? `code ${code}`}` }
  })
  return () => end
}

/** Makes the socket's directory; one in the shared temporary directory could have been put there by somebody else. */
async function prepareSocketDirectory(layout: Layout, runAs: RunAs): Promise<void> {
  const path = layout.socketDirectory
  await mkdir(path, { mode: 0o700, recursive: true })
  const self = process.getuid?.()
  if (!(await isClosedDirectory(path, runAs.kind === 'user' ? [self, runAs.uid] : [self]))) {
    throw new EmbeddedPostgresError(
      'directory_not_accessible',
      `${path} must be a directory of Reelay's own user with mode 0700, and is not. Remove it, and start again.`,
    )
  }
  await handOver(path, runAs)
}

/** Owned by the one who will open it next time; as root, not through a link that the owner of the directory put there. */
async function openLog(path: string, runAs: RunAs): Promise<FileHandle> {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
  const log = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
  if (runAs.kind === 'user') await log.chown(runAs.uid, runAs.gid)
  return log
}

async function setAsideLongLog(path: string): Promise<void> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  )
  if (bytes > LOG_MAX_BYTES) await rename(path, `${path}.1`)
}
