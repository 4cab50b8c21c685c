import { Command } from 'commander'
import type { AccountId } from '../canonical/ids.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import { grant, revoke } from '../ledger/grant.ts'
import { type Balance, selectBalance, selectStatement, selectWallet, type WalletId } from '../ledger/queries.ts'
import { CommandError } from './command-error.ts'
import { print, table } from './output.ts'
import { readAmount, readId, readMode, readWholeNumber } from './read-argument.ts'
import { withDatabase } from './with-database.ts'

/** `reelay credits …` */
export function creditsCommand(): Command {
  const command = new Command('credits').description('balances and the ledger')

  forWallet(command, 'show')
    .description('the balance')
    .action(async (text: string, options) => {
      const balance = await withDatabase(async ({ pool }) => balanceOf(pool, await wallet(pool, text, options.mode)))
      print(options, balance, [balanceLine(balance)])
    })

  const amount = ['<credits>', 'a whole number', readAmount] as const
  forWallet(command, 'grant')
    .description('give credits')
    .argument(...amount)
    .option('--note <note>', 'why; kept in the ledger')
    .action(async (text: string, credits: bigint, options) => {
      const balance = await withDatabase(async ({ pool }) => {
        const id = await wallet(pool, text, options.mode)
        await grant(pool, id, credits, options.note)
        return balanceOf(pool, id)
      })
      print(options, balance, [balanceLine(balance)])
    })

  forWallet(command, 'revoke')
    .description('take back credits that are still available')
    .argument(...amount)
    .option('--note <note>', 'why; kept in the ledger')
    .action(async (text: string, credits: bigint, options) => {
      const balance = await withDatabase(async ({ pool }) => {
        const id = await wallet(pool, text, options.mode)
        const outcome = await revoke(pool, id, credits, options.note)
        const now = await balanceOf(pool, id)
        if (outcome === 'insufficient') throw new CommandError(`Only ${now.available} credits are available.`)
        return now
      })
      print(options, balance, [balanceLine(balance)])
    })

  forWallet(command, 'statement')
    .description('the latest transfers')
    .option('--limit <n>', 'how many', readWholeNumber('limit', { min: 1, max: 10_000 }), 50)
    .action(async (text: string, options) => {
      const lines = await withDatabase(async ({ pool }) =>
        selectStatement(pool, await wallet(pool, text, options.mode), options.limit),
      )
      const rows = lines.map((line) => [
        line.created_at.toISOString(),
        line.kind,
        line.amount.toString(),
        line.task_id === null ? '' : `task_${line.task_id.replaceAll('-', '')}`,
        line.note ?? '',
      ])
      print(options, { transfers: lines }, table(['TIME', 'KIND', 'CREDITS', 'TASK', 'NOTE'], rows))
    })

  return command
}

function forWallet(command: Command, name: string) {
  return command
    .command(name)
    .argument('<account>', 'acct_…')
    .option('--mode <mode>', 'live or test', readMode, 'live' as const)
    .option('--json', 'print JSON')
}

async function wallet(db: Queryable, text: string, mode: WalletMode): Promise<WalletId> {
  const account: AccountId = readId('acct', text)
  const id = await selectWallet(db, account, mode)
  if (id === undefined) throw new CommandError(`There is no account ${account}; "reelay accounts list" shows them.`)
  return id
}

async function balanceOf(db: Queryable, id: WalletId): Promise<Balance> {
  const balance = await selectBalance(db, id)
  if (balance === undefined) throw new Error(`wallet ${id} is gone`)
  return balance
}

function balanceLine({ granted, available, held, spent }: Balance): string {
  return `available ${available}, held ${held}, spent ${spent} (granted ${granted})`
}
