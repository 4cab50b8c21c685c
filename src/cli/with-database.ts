import process from 'node:process'
import { readConfig } from '../config/read-config.ts'
import { makeDataDirectory } from './data-directory.ts'
import { type OpenDatabase, openDatabase } from './open-database.ts'

/** Runs a command against the configured database, beside a running server or, if there is none, alone. */
export async function withDatabase<Result>(work: (database: OpenDatabase) => Promise<Result>): Promise<Result> {
  const config = readConfig(process.env)
  await makeDataDirectory(config.dataDirectory)
  await using database = await openDatabase(config, 'command')
  return await work(database)
}
