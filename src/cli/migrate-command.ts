import { Command } from 'commander'
import { type OutputOptions, print } from './output.ts'
import { withDatabase } from './with-database.ts'

/** `reelay migrate`: for deployments that migrate before they start; every other start migrates by itself. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the database up to date')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const applied = await withDatabase(async ({ migrated }) => migrated)
      print(options, { applied }, applied.length === 0 ? ['The database is up to date.'] : applied)
    })
}
