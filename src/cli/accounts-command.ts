import { Command } from 'commander'
import { createAccount } from '../accounts/create-account.ts'
import { type Account, selectAccount, selectAccounts, updateAccount } from '../accounts/queries.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { readCredits, readId, readPlan } from './read-argument.ts'
import { withDatabase } from './with-database.ts'

/** `reelay accounts …` */
export function accountsCommand(): Command {
  const command = new Command('accounts').description('accounts and what they are allowed')

  command
    .command('create')
    .description('make an account with a live and a test key, which are shown once')
    .argument('<name>')
    .option('--plan <plan>', 'free, pro or enterprise', readPlan, 'free' as const)
    .option('--credits <credits>', 'live credits to start with', readCredits, 0n)
    .option('--allow-spicy', 'allow the mode "spicy"')
    .option('--json', 'print JSON')
    .action(async (name: string, options) => {
      if (name.trim() === '' || name.length > 200) throw new CommandError('An account name has 1 to 200 characters.')
      const { plan, credits } = options
      const made = await withDatabase(({ pool }) =>
        createAccount(pool, { name, plan, credits, spicyAllowed: options.allowSpicy === true }),
      )
      const value = { account: { ...accountJson(made.account), credits }, key: made.liveKey, test_key: made.testKey }
      print(options, value, [
        `account   ${made.account.id} (${name}, ${plan}, ${credits} credits)`,
        `live key  ${made.liveKey}`,
        `test key  ${made.testKey}`,
        'The keys are shown this once. Requests with the test key spend test credits and reach only the animatic renderer.',
      ])
    })

  command
    .command('list')
    .option('--json', 'print JSON')
    .action(async (options: OutputOptions) => {
      const accounts = await withDatabase(({ pool }) => selectAccounts(pool))
      const rows = accounts.map((each) => [each.id, each.plan, each.spicyAllowed ? 'yes' : 'no', each.name])
      print(options, { accounts: accounts.map(accountJson) }, table(['ACCOUNT', 'PLAN', 'SPICY', 'NAME'], rows))
    })

  command
    .command('update')
    .description('change the plan, or what is allowed')
    .argument('<account>', 'acct_…')
    .option('--plan <plan>', 'free, pro or enterprise', readPlan)
    .option('--allow-spicy', 'allow the mode "spicy"')
    .option('--no-allow-spicy', 'forbid it again')
    .option('--json', 'print JSON')
    .action(async (text: string, options) => {
      const id = readId('acct', text)
      const account = await withDatabase(async ({ pool }) => {
        await updateAccount(pool, id, { plan: options.plan, spicyAllowed: options.allowSpicy })
        return selectAccount(pool, id)
      })
      if (account === undefined) throw new CommandError(`There is no account ${id}; "reelay accounts list" shows them.`)
      const spicy = account.spicyAllowed ? 'allowed' : 'not allowed'
      print(options, { account: accountJson(account) }, [`${account.id}: ${account.plan}, spicy ${spicy}`])
    })

  return command
}

function accountJson(account: Account): Record<string, unknown> {
  return {
    id: account.id,
    name: account.name,
    plan: account.plan,
    spicy_allowed: account.spicyAllowed,
    created_at: account.createdAt.toISOString(),
  }
}
