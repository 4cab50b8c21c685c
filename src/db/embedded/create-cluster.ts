import { mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { type Layout, UNFINISHED_PREFIX } from './layout.ts'
import { handOver, type RunAs } from './run-as.ts'
import { runProgram } from './run-program.ts'

/** The only role: it owns everything, and the socket's directory decides who may be it. */
export const DATABASE_USER = 'reelay'

/**
 * Makes sure that a cluster of this major version is there, creating it (about a second) on the first start.
 *
 * `initdb` killed halfway leaves a directory that PostgreSQL neither starts from nor creates over. So it works in a
 * directory of its own, which is renamed when complete; what is left of an earlier attempt is removed once a cluster
 * exists. Of two processes that create at once, the first rename wins and the other uses its result.
 */
export async function ensureCluster(
  layout: Layout,
  options: { binaries: Binaries; runAs: RunAs; durable: 'yes' | 'no' },
): Promise<void> {
  const { binaries } = options
  if ((await clusterVersion(layout)) === undefined) await createCluster(layout, options)
  const version = await clusterVersion(layout)
  if (version !== binaries.majorVersion) {
    throw new EmbeddedPostgresError(
      'foreign_directory',
      `${layout.cluster} was made by PostgreSQL ${version ?? '(no PG_VERSION file)'}, and this Reelay brings ${binaries.majorVersion}. ` +
        'Export the data with the Reelay that made it, and import into an empty data directory.',
    )
  }
  await removeUnfinished(layout)
}

/** The major version a cluster was made by; `undefined` if there is none. An unreadable one throws. */
async function clusterVersion(layout: Layout): Promise<string | undefined> {
  try {
    return (await readFile(join(layout.cluster, 'PG_VERSION'), 'utf8')).trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function createCluster(
  layout: Layout,
  { binaries, runAs, durable }: { binaries: Binaries; runAs: RunAs; durable: 'yes' | 'no' },
): Promise<void> {
  const unfinished = await mkdtemp(join(layout.directory, UNFINISHED_PREFIX))
  await handOver(unfinished, runAs)
  const outcome = await runProgram(runAs, join(binaries.root, 'bin', 'initdb'), [
    ...['--pgdata', unfinished, '--username', DATABASE_USER, '--no-instructions'],
    // Sorting by code point, upper and lower case by Unicode; the same on every system, whatever locales it has.
    ...['--encoding', 'UTF8', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--locale', 'C'],
    // No passwords: there is no TCP, and only the owner can enter the socket's directory. `peer` would have to know
    // the name of the operating system's user, which differs between the ways that PostgreSQL is run here.
    ...['--auth-local', 'trust', '--auth-host', 'reject'],
    ...(durable === 'no' ? ['--no-sync'] : []),
  ])
  if (outcome.exitCode === 0) await rename(unfinished, layout.cluster).catch(() => undefined)
  await rm(unfinished, { recursive: true, force: true, maxRetries: 3 })
  if ((await clusterVersion(layout)) === undefined) {
    throw new EmbeddedPostgresError(
      'start_failed',
      `PostgreSQL could not create a database in ${layout.directory}: ${outcome.output.trim()}`,
    )
  }
  if (durable === 'yes') await syncDirectory(layout.directory)
}

/** So that the rename itself survives a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}

/**
 * Another process may be working in one of them: its `initdb` fails, it finds the finished cluster, and goes on. What
 * resists is left for the next start.
 */
async function removeUnfinished(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.directory)) {
    if (!name.startsWith(UNFINISHED_PREFIX) && !name.startsWith('copying-')) continue
    await rm(join(layout.directory, name), { recursive: true, force: true }).catch(() => undefined)
  }
}
