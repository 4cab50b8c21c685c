import { join } from 'node:path'
import type pg from 'pg'
import type { Config } from '../config/config.ts'
import { openPool } from '../db/database.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../db/embedded/open-embedded-postgres.ts'
import { migrate } from '../db/migrate.ts'

/** Connections of one process. The embedded server allows 100, and a command may run beside a server. */
const MAX_CONNECTIONS = 16

export interface OpenDatabase extends AsyncDisposable {
  readonly pool: pg.Pool
  /** For connections outside the pool: one that listens, one that exports. */
  readonly connection: pg.ClientConfig
  /** `undefined` when `DATABASE_URL` names a server. */
  readonly embedded: EmbeddedPostgres | undefined
  /** Migrations that were applied just now. */
  readonly migrated: readonly string[]
}

/**
 * Opens the configured database, starting the embedded one if need be, and migrates it. `server` additionally claims the
 * data directory: of two servers on one directory the second throws `DataDirectoryInUse`.
 */
export async function openDatabase(config: Config, as: 'server' | 'command'): Promise<OpenDatabase> {
  const embedded =
    config.databaseUrl === undefined
      ? await openEmbeddedPostgres({ directory: join(config.dataDirectory, 'postgres') })
      : undefined
  try {
    if (as === 'server') await embedded?.claimServer()
    const connection = { connectionString: config.databaseUrl ?? embedded?.connectionString }
    const migrated = await migrate(connection)
    const pool = openPool(connection, MAX_CONNECTIONS)
    return {
      pool,
      connection,
      embedded,
      migrated,
      async [Symbol.asyncDispose]() {
        await pool.end()
        await embedded?.[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await embedded?.[Symbol.asyncDispose]()
    throw error
  }
}
