import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { type CreatedAccount, createAccount } from '../../src/accounts/create-account.ts'
import { MAX_REQUESTS_PER_MINUTE } from '../../src/accounts/plans.ts'
import { openPool } from '../../src/db/database.ts'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { migrate } from '../../src/db/migrate.ts'

export interface BenchDatabase extends AsyncDisposable {
  readonly url: string
  readonly pool: pg.Pool
  readonly directory: string
}

/** A durable embedded database of its own, as an installation has it: every commit is on the disk. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-bench-'))
  const embedded = await openEmbeddedPostgres({ directory: join(directory, 'postgres') })
  await migrate({ connectionString: embedded.connectionString })
  const pool = openPool({ connectionString: embedded.connectionString }, 40)
  return {
    url: embedded.connectionString,
    pool,
    directory,
    async [Symbol.asyncDispose]() {
      await pool.end()
      await embedded[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Accounts with more credits, and more requests, than a run can spend. */
export async function makeAccounts(pool: pg.Pool, count: number): Promise<CreatedAccount[]> {
  const accounts: CreatedAccount[] = []
  for (let index = 0; index < count; index++) {
    const account = await createAccount(pool, {
      name: `bench ${index}`,
      plan: 'enterprise',
      credits: 1_000_000_000n,
      spicyAllowed: false,
      requestsPerMinute: MAX_REQUESTS_PER_MINUTE,
    })
    accounts.push(account)
  }
  return accounts
}
