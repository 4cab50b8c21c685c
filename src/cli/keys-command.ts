import { Command } from 'commander'
import { createKey } from '../accounts/create-key.ts'
import { type ApiKey, revokeKey, selectAccount, selectKeys } from '../accounts/queries.ts'
import { SCOPES } from '../canonical/scopes.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { readId, readMode, readScopes, readWholeNumber } from './read-argument.ts'
import { withDatabase } from './with-database.ts'

/** Ten years: longer is the same as for ever. */
const MAX_EXPIRY_DAYS = 3_650

/** `reelay keys …` */
export function keysCommand(): Command {
  const command = new Command('keys').description('API keys')

  command
    .command('create')
    .description('make a key, which is shown once')
    .argument('<account>', 'acct_…')
    .option('--mode <mode>', 'live or test', readMode, 'live' as const)
    .option('--name <name>', 'what it is for')
    .option('--scopes <scopes>', `comma-separated, of ${SCOPES.join(', ')}`, readScopes, [...SCOPES])
    .option('--expires-in-days <days>', 'default: never', readWholeNumber('days', { min: 1, max: MAX_EXPIRY_DAYS }))
    .option('--json', 'print JSON')
    .action(async (text: string, options) => {
      const account = readId('acct', text)
      const { mode, name, scopes, expiresInDays } = options
      const made = await withDatabase(async ({ pool }) => {
        if ((await selectAccount(pool, account)) === undefined)
          throw new CommandError(`There is no account ${account}.`)
        return createKey(pool, { account, mode, name, scopes, expiresInDays })
      })
      print(options, { ...keyJson(made.key), key: made.secret }, [
        `${made.key.id}  ${made.secret}`,
        'The key is shown this once.',
      ])
    })

  command
    .command('list')
    .argument('<account>', 'acct_…')
    .option('--json', 'print JSON')
    .action(async (text: string, options: OutputOptions) => {
      const keys = await withDatabase(({ pool }) => selectKeys(pool, readId('acct', text)))
      const rows = keys.map((key) => [key.id, `${key.prefix}…`, standing(key), key.scopes.join(','), key.name ?? ''])
      print(options, { keys: keys.map(keyJson) }, table(['KEY', 'PREFIX', 'STATUS', 'SCOPES', 'NAME'], rows))
    })

  command
    .command('revoke')
    .description('end a key; every node refuses it from now on')
    .argument('<key>', 'key_…')
    .option('--json', 'print JSON')
    .action(async (text: string, options: OutputOptions) => {
      const id = readId('key', text)
      if (!(await withDatabase(({ pool }) => revokeKey(pool, id)))) throw new CommandError(`There is no key ${id}.`)
      print(options, { id, revoked: true }, [`${id} is revoked.`])
    })

  return command
}

function standing(key: ApiKey): string {
  if (key.revokedAt !== undefined) return `revoked ${key.revokedAt.toISOString()}`
  if (key.expiresAt !== undefined) return `expires ${key.expiresAt.toISOString()}`
  return 'active'
}

function keyJson(key: ApiKey): Record<string, unknown> {
  return {
    id: key.id,
    account: key.account,
    mode: key.mode,
    name: key.name ?? null,
    prefix: key.prefix,
    scopes: key.scopes,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  }
}
