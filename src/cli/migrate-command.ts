import { Command } from 'commander'
import { type OutputOptions, print } from './output.ts'
import { withDatabase } from './with-database.ts'

/**
 * `reelay migrate`: for deployments that migrate before they start. Every other start migrates by itself, or, with
 * REELAY_MIGRATE=check, refuses to run on a database that is not up to date.
 */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database up to date, whatever REELAY_MIGRATE says')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const applied = await withDatabase(async ({ migrated }) => migrated, { migrations: 'apply' })
      print(options, { applied }, applied.length === 0 ? ['The database is up to date.'] : applied)
    })
}
