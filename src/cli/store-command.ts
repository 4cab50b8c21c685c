import process from 'node:process'
import { Command } from 'commander'
import { readConfig } from '../config/read-config.ts'
import { openInstallation } from '../db/installation.ts'
import { openStore } from '../media/open-store.ts'
import { readStoreIdentity } from '../media/store-identity.ts'
import { CommandError } from './command-error.ts'
import { makeDataDirectory } from './data-directory.ts'
import { type OutputOptions, print } from './output.ts'
import { giveIdentity, storeName } from './recognize-installation.ts'
import { withDatabase } from './with-database.ts'

/** `reelay store …` */
export function storeCommand(): Command {
  const command = new Command('store').description('where the videos lie')

  command
    .command('adopt')
    .description(
      'take the configured store, which belongs to no installation, as this one’s; files that it lacks are lost',
    )
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const config = readConfig(process.env)
      const { media } = await makeDataDirectory(config.dataDirectory)
      const { id } = await withDatabase(async ({ pool }) => {
        const installation = await openInstallation(pool)
        await using store = await openStore(config.store, config.mediaDirectory ?? media)
        const found = await readStoreIdentity(store)
        if (found !== undefined && found.installation !== installation.id) {
          throw new CommandError(
            `The store ${storeName(config)} belongs to the installation ${found.installation}: an installation never takes another one’s.`,
          )
        }
        await giveIdentity(store, pool)
        return installation
      })
      print(options, { installation: id, store: storeName(config) }, [
        `The store ${storeName(config)} is the one of the installation ${id} now.`,
      ])
    })

  return command
}
