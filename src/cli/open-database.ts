import { join } from 'node:path'
import type pg from 'pg'
import type { Config } from '../config/config.ts'
import { openPool } from '../db/database.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../db/embedded/open-embedded-postgres.ts'
import { assertMigrated, type LockWait, MIGRATIONS_DIRECTORY, migrate } from '../db/migrate.ts'

/** Of the connections of a process, every n-th is for pages of lists alone. */
const CONNECTIONS_PER_LIST_CONNECTION = 5

/** Milliseconds that a page of a list may take: a healthy one takes some. So a slow one holds its connection for a moment. */
const LIST_TIMEOUT_MS = 2_000

export interface OpenDatabase extends AsyncDisposable {
  readonly pool: pg.Pool
  /** For pages of lists, so that slow ones take no connection from creates. Its statements are short, or are ended. */
  readonly listPool: pg.Pool
  /** For connections outside the pool: one that listens, one that exports. */
  readonly connection: pg.ClientConfig
  /** `undefined` when `DATABASE_URL` names a server. */
  readonly embedded: EmbeddedPostgres | undefined
  /** Migrations that were applied just now. */
  readonly migrated: readonly string[]
}

/**
 * Opens the configured database, starting the embedded one if need be, and migrates it, or only checks that it is migrated,
 * as is configured. `server` additionally claims the data directory: of two servers on one directory the second throws
 * `DataDirectoryInUse`. `onLockWait` is told of each time that a migration has to wait for others.
 */
export async function openDatabase(
  config: Config,
  as: 'server' | 'command',
  onLockWait?: (wait: LockWait) => void,
): Promise<OpenDatabase> {
  const embedded =
    config.databaseUrl === undefined
      ? await openEmbeddedPostgres({ directory: join(config.dataDirectory, 'postgres') })
      : undefined
  try {
    if (as === 'server') await embedded?.claimServer()
    const connection = { connectionString: config.databaseUrl ?? embedded?.connectionString }
    const migrated = config.migrations === 'check' ? [] : await migrate(connection, MIGRATIONS_DIRECTORY, onLockWait)
    if (config.migrations === 'check') await assertMigrated(connection)
    const forLists = Math.floor(config.databaseConnections / CONNECTIONS_PER_LIST_CONNECTION)
    const pool = openPool(connection, config.databaseConnections - forLists)
    const listPool = openPool({ ...connection, statement_timeout: LIST_TIMEOUT_MS }, forLists)
    return {
      pool,
      listPool,
      connection,
      embedded,
      migrated,
      async [Symbol.asyncDispose]() {
        await Promise.all([pool.end(), listPool.end()])
        await embedded?.[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await embedded?.[Symbol.asyncDispose]()
    throw error
  }
}
