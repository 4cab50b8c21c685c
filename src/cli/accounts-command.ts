import { Command } from 'commander'
import { createAccount } from '../accounts/create-account.ts'
import { MAX_REQUESTS_PER_MINUTE, requestsPerMinuteOf } from '../accounts/plans.ts'
import { type Account, selectAccount, selectAccounts, updateAccount } from '../accounts/queries.ts'
import { ROTATION_HOURS, rotateSecret, signingSecrets } from '../webhooks/callback-secret.ts'
import { shownSecret } from '../webhooks/sign.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { readCredits, readId, readPlan, readWholeNumber } from './read-argument.ts'
import { withDatabase } from './with-database.ts'

const readRequestsPerMinute = readWholeNumber('--requests-per-minute', { min: 1, max: MAX_REQUESTS_PER_MINUTE })

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
    .option('--requests-per-minute <number>', "instead of the plan's", readRequestsPerMinute)
    .option('--json', 'print JSON')
    .action(async (name: string, options) => {
      if (name.trim() === '' || name.length > 200) throw new CommandError('An account name has 1 to 200 characters.')
      const { plan, credits, requestsPerMinute } = options
      const made = await withDatabase(({ pool }) =>
        createAccount(pool, { name, plan, credits, requestsPerMinute, spicyAllowed: options.allowSpicy === true }),
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
      const rows = accounts.map((each) => [
        each.id,
        each.plan,
        each.spicyAllowed ? 'yes' : 'no',
        String(requestsPerMinuteOf(each)),
        each.name,
      ])
      const heads = ['ACCOUNT', 'PLAN', 'SPICY', 'REQUESTS/MIN', 'NAME']
      print(options, { accounts: accounts.map(accountJson) }, table(heads, rows))
    })

  command
    .command('update')
    .description('change the plan, or what is allowed')
    .argument('<account>', 'acct_…')
    .option('--plan <plan>', 'free, pro or enterprise', readPlan)
    .option('--allow-spicy', 'allow the mode "spicy"')
    .option('--no-allow-spicy', 'forbid it again')
    .option('--requests-per-minute <number>', 'a number of its own, or "plan" for that of the plan', (text) =>
      text === 'plan' ? text : readRequestsPerMinute(text),
    )
    .option('--json', 'print JSON')
    .action(async (text: string, options) => {
      const id = readId('acct', text)
      const account = await withDatabase(async ({ pool }) => {
        const { plan, allowSpicy: spicyAllowed, requestsPerMinute } = options
        await updateAccount(pool, id, { plan, spicyAllowed, requestsPerMinute })
        return selectAccount(pool, id)
      })
      if (account === undefined) throw new CommandError(`There is no account ${id}; "reelay accounts list" shows them.`)
      const spicy = account.spicyAllowed ? 'allowed' : 'not allowed'
      const requests = `${requestsPerMinuteOf(account)} requests a minute`
      print(options, { account: accountJson(account) }, [`${account.id}: ${account.plan}, spicy ${spicy}, ${requests}`])
    })

  command
    .command('callback-secret')
    .description("show the secret that this account's callbacks are signed with (Standard Webhooks)")
    .argument('<account>', 'acct_…')
    .option('--rotate', `make a new one; the old one signs beside it for ${ROTATION_HOURS} hours`)
    .option('--json', 'print JSON')
    .action(async (text: string, options: OutputOptions & { rotate?: boolean }) => {
      const id = readId('acct', text)
      const secret = await withDatabase(async ({ pool }) => {
        if (options.rotate === true) return rotateSecret(pool, id)
        return (await selectAccount(pool, id)) === undefined ? undefined : (await signingSecrets(pool, id))[0]
      })
      if (secret === undefined) throw new CommandError(`There is no account ${id}; "reelay accounts list" shows them.`)
      const shown = shownSecret(secret)
      const note = options.rotate === true ? [`The one before signs beside it for ${ROTATION_HOURS} hours.`] : []
      print(options, { account: id, callback_secret: shown }, [shown, ...note])
    })

  return command
}

function accountJson(account: Account): Record<string, unknown> {
  return {
    id: account.id,
    name: account.name,
    plan: account.plan,
    spicy_allowed: account.spicyAllowed,
    requests_per_minute: requestsPerMinuteOf(account),
    created_at: account.createdAt.toISOString(),
  }
}
