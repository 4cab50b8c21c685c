/** The proof of the ledger takes as long as it takes, and one that could not be made is no verdict. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createAccount } from '../../src/accounts/create-account.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { runCli } from '../support/server.ts'

describe('the proof of the ledger', () => {
  let database: TestDatabase
  let folder: string
  before(async () => {
    database = await testDatabase()
    folder = await mkdtemp(join(tmpdir(), 'reelay-proof-'))
    await createAccount(database.pool, { name: 'x', plan: 'free', credits: 10n, spicyAllowed: false })
    // Whatever time-out the operator has set, an hour of proof is not ended by it.
    const { rows } = await database.pool.query<{ name: string }>('select current_database() as name')
    await database.pool.query(`alter database ${rows[0]?.name} set statement_timeout = '500ms'`)
  })
  after(async () => {
    await database[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const doctor = () => runCli(['doctor', '--json'], { DATABASE_URL: database.url, REELAY_DATA_DIR: folder })

  /** Runs the doctor while the ledger is locked, and `meanwhile` once the proof waits. */
  async function whileLocked(meanwhile: (pid: number, waitedMs: number) => Promise<boolean>) {
    const locker = await database.pool.connect()
    await locker.query('begin')
    await locker.query('lock table ledger_transfers in access exclusive mode')
    const examined = doctor()
    await waitFor('the proof to wait', async (seen) => {
      const { rows } = await database.pool.query<{ pid: number; waited_ms: number }>(
        `select pid, (extract(epoch from clock_timestamp() - query_start) * 1000)::integer as waited_ms
         from pg_stat_activity where application_name = 'reelay-proof' and wait_event_type = 'Lock'`,
      )
      seen(rows)
      const [row] = rows
      return row !== undefined && (await meanwhile(row.pid, row.waited_ms))
    })
    await locker.query('rollback')
    locker.release()
    const { code, stdout } = await examined
    const { checks } = JSON.parse(stdout)
    return { code, ledger: checks.find(({ name }: { name: string }) => name === 'ledger') }
  }

  test('waits longer than any statement may, and is made', async () => {
    const { code, ledger } = await whileLocked(async (_pid, waitedMs) => waitedMs > 1_000)
    assert.deepEqual([code, ledger.outcome], [0, 'ok'], JSON.stringify(ledger))
  })

  test('that is ended is told as not examined, with an exit status of its own and no alarm', async () => {
    const { code, ledger } = await whileLocked(async (pid) => {
      await database.pool.query('select pg_terminate_backend($1)', [pid])
      return true
    })
    assert.deepEqual([code, ledger.ok, ledger.outcome], [3, false, 'not examined'], JSON.stringify(ledger))
    assert.match(ledger.found, /not examined: .*terminat/)
    assert.doesNotMatch(JSON.stringify(ledger), /Stop Reelay/)
  })

  test('that finds a violation names it, and says what to do', async () => {
    await database.pool.query('alter table wallets disable trigger all')
    await database.pool.query('alter table wallets drop constraint if exists wallets_check')
    await database.pool.query(`update wallets set granted = granted + 1, available = available + 1 where mode = 'live'`)
    const { code, stdout } = await doctor()
    const ledger = JSON.parse(stdout).checks.find(({ name }: { name: string }) => name === 'ledger')
    assert.deepEqual([code, ledger.outcome], [1, 'failed'])
    assert.match(ledger.found, /balance is the sum of its entries: wallet \d+, stored 11/)
    assert.match(ledger.advice, /Stop Reelay/)
  })
})
