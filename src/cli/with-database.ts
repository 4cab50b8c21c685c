import process from 'node:process'
import type { Config } from '../config/config.ts'
import { readConfig } from '../config/read-config.ts'
import type { LockWait } from '../db/migrate.ts'
import { makeDataDirectory } from './data-directory.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'

/**
 * Runs a command against the configured database, beside a running server or, if there is none, alone. `change` stands in
 * place of what is configured.
 */
export async function withDatabase<Result>(
  work: (database: OpenDatabase) => Promise<Result>,
  change: Partial<Pick<Config, 'migrations'>> = {},
): Promise<Result> {
  const config = { ...readConfig(process.env), ...change }
  await makeDataDirectory(config.dataDirectory)
  await using database = await openDatabase(config, 'command', sayLockWait)
  return await work(database)
}

function sayLockWait({ migration, blockers, retryInMs }: LockWait): void {
  process.stderr.write(
    `The migration ${migration} waits for transactions of others, and is tried again in ${retryInMs} ms. ` +
      `The oldest: ${blockers.join('; ')}.\n`,
  )
}
