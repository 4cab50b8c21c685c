/** What the database itself refuses, whatever code runs on it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type pg from 'pg'
import { newId, type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import { inTransaction } from '../../src/db/database.ts'
import { grant, MAX_GRANT_CREDITS, revoke } from '../../src/ledger/grant.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { selectBalance, selectStatement, type WalletId } from '../../src/ledger/queries.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { Submitter } from '../../src/tasks/submit.ts'
import { newTask, openAccount } from '../faults/workshop.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const APPEND_ONLY = /append-only/
const BY_TRANSFER = /a balance changes only by a transfer/
const TERMINAL = ['succeeded', 'failed', 'canceled', 'expired'] as const
const OPEN = ['queued', 'submitting', 'running', 'collecting'] as const

let database: TestDatabase
let pool: pg.Pool

async function createTask(wallet: WalletId, priceCredits: bigint): Promise<TaskId> {
  const outcome = await new Submitter(pool).submit(newTask(wallet, 'a test', { priceCredits }))
  assert.equal(outcome.kind, 'created')
  return outcome.kind === 'created' ? outcome.id : newId('task')
}

function transfer(wallet: WalletId, kind: string, amount: bigint, task: TaskId | undefined): Promise<unknown> {
  return pool.query('insert into ledger_transfers (wallet_id, kind, amount, task_id) values ($1, $2, $3, $4)', [
    wallet,
    kind,
    amount,
    task === undefined ? null : uuidOf(task),
  ])
}

/** Ends a task with the function that workers use. */
async function settle(task: TaskId, to: string, capture: bigint): Promise<number> {
  const { rowCount } = await pool.query('select from settle_task($1, null, $2, $3, $4, $5, $6, $7)', [
    uuidOf(task),
    OPEN,
    to,
    capture,
    to === 'failed' ? 'generation_failed' : null,
    to === 'failed' ? 'It failed.' : null,
    JSON.stringify(to === 'succeeded' ? [videoRow(task)] : []),
  ])
  return rowCount ?? 0
}

function videoRow(task: TaskId): Record<string, unknown> {
  return {
    id: uuidOf(newId('med')),
    kind: 'video',
    store_key: `test/${task}.mp4`,
    mime_type: 'video/mp4',
    size_bytes: 1,
    sha256: '00'.repeat(32),
    keep_seconds: 60,
  }
}

/** `granted/available/held/spent` */
async function balanceOf(wallet: WalletId): Promise<string> {
  const balance = await selectBalance(pool, wallet)
  assert.ok(balance)
  return [balance.granted, balance.available, balance.held, balance.spent].join('/')
}

describe('the ledger in the database', () => {
  before(async () => {
    database = await testDatabase()
    pool = database.pool
  })
  after(async () => {
    const violations = await findViolations(pool)
    await database[Symbol.asyncDispose]()
    assert.deepEqual(violations, [])
  })

  describe('the transfers', () => {
    it('cannot be changed, deleted or truncated', async () => {
      const wallet = await openAccount(pool, { credits: 5n })
      for (const statement of [
        'update ledger_transfers set amount = amount + 1',
        `update ledger_transfers set note = 'corrected'`,
        'delete from ledger_transfers',
        'truncate ledger_transfers',
        'truncate ledger_transfers cascade',
      ]) {
        await assert.rejects(pool.query(statement), APPEND_ONLY, statement)
      }
      assert.equal(await balanceOf(wallet), '5/5/0/0')
    })

    it('are of whole, positive amounts and of known kinds', async () => {
      const wallet = await openAccount(pool)
      for (const [kind, amount] of [
        ['grant', 0n],
        ['grant', -1n],
        ['gift', 1n],
      ] as const) {
        await assert.rejects(transfer(wallet, kind, amount, undefined), { code: '23514' }, `${kind} ${amount}`)
      }
    })

    it('name a task exactly when they belong to one, and one that exists', async () => {
      const wallet = await openAccount(pool)
      const task = await createTask(wallet, 1n)
      await assert.rejects(transfer(wallet, 'grant', 1n, task), /transfer_names_its_task/)
      await assert.rejects(transfer(wallet, 'reserve', 1n, undefined), /transfer_names_its_task/)
      await assert.rejects(transfer(wallet, 'reserve', 1n, newId('task')), /foreign key/)
    })

    it('are two entries each, whose sum is zero', async () => {
      const { rows } = await pool.query<{ entries: number; sum: string }>(
        'select count(*)::integer as entries, sum(amount)::text as sum from ledger_entries group by transfer_id',
      )
      assert.ok(rows.length > 0)
      assert.ok(rows.every((row) => row.entries === 2 && row.sum === '0'))
    })
  })

  describe('a wallet', () => {
    it('cannot have its balance written by hand', async () => {
      const wallet = await openAccount(pool, { credits: 5n })
      const write = (set: string) => pool.query(`update wallets set ${set} where id = $1`, [wallet])
      await assert.rejects(write('granted = granted + 1, available = available + 1'), BY_TRANSFER)
      await assert.rejects(write('available = available - 1, spent = spent + 1'), BY_TRANSFER)
      assert.equal(await balanceOf(wallet), '5/5/0/0')
    })

    it('cannot be made with credits in it', async () => {
      const { rows } = await pool.query<{ id: string }>(
        `insert into accounts (id, name, plan) values (gen_random_uuid(), 'x', 'free') returning id`,
      )
      const make = (columns: string, values: string) =>
        pool.query(`insert into wallets (account_id, mode, ${columns}) values ($1, 'live', ${values})`, [rows[0]?.id])
      await assert.rejects(make('granted, available', '1, 1'), /a wallet starts empty/)
      await assert.rejects(make('granted, spent', '1, 1'), /a wallet starts empty/)
    })

    it('cannot be deleted or truncated', async () => {
      await openAccount(pool)
      await assert.rejects(pool.query('delete from wallets'), APPEND_ONLY)
      await assert.rejects(pool.query('truncate wallets cascade'), APPEND_ONLY)
    })

    it('cannot be overdrawn by a reserve, whoever inserts it', async () => {
      const wallet = await openAccount(pool, { credits: 5n })
      const free = await createTask(wallet, 0n)
      await assert.rejects(transfer(wallet, 'reserve', 6n, free), /available_check|wallet_is_balanced/)
      assert.equal(await balanceOf(wallet), '5/5/0/0')
    })

    it('cannot release or capture more than it holds', async () => {
      const wallet = await openAccount(pool, { credits: 5n })
      const task = await createTask(wallet, 3n)
      for (const kind of ['release', 'capture']) {
        await assert.rejects(transfer(wallet, kind, 4n, task), { code: '23514' }, kind)
      }
      assert.equal(await balanceOf(wallet), '5/2/3/0')
    })

    it('gives back by a revoke only what is available, neither what is held nor what is spent', async () => {
      const wallet = await openAccount(pool, { credits: 10n })
      await settle(await createTask(wallet, 3n), 'succeeded', 3n)
      await createTask(wallet, 4n)
      assert.equal(await balanceOf(wallet), '10/3/4/3')
      assert.equal(await revoke(pool, wallet, 4n), 'insufficient')
      assert.equal(await balanceOf(wallet), '10/3/4/3')
      assert.equal(await revoke(pool, wallet, 3n, 'a mistake'), 'revoked')
      assert.equal(await balanceOf(wallet), '7/0/4/3')
    })

    it('takes no grant that is not a sensible amount', async () => {
      const wallet = await openAccount(pool, { credits: 0n })
      for (const amount of [0n, -1n, MAX_GRANT_CREDITS + 1n]) {
        await assert.rejects(grant(pool, wallet, amount), RangeError, String(amount))
        await assert.rejects(revoke(pool, wallet, amount), RangeError, String(amount))
      }
      await grant(pool, wallet, MAX_GRANT_CREDITS)
      assert.equal(await balanceOf(wallet), `${MAX_GRANT_CREDITS}/${MAX_GRANT_CREDITS}/0/0`)
    })

    it('tells its transfers newest first', async () => {
      const wallet = await openAccount(pool, { credits: 10n })
      await settle(await createTask(wallet, 4n), 'failed', 0n)
      const statement = await selectStatement(pool, wallet, 10)
      assert.deepEqual(
        statement.map((line) => `${line.kind} ${line.amount}`),
        ['release 4', 'reserve 4', 'grant 10'],
      )
    })
  })

  describe('the hold of a task', () => {
    it('is reserved once', async () => {
      const wallet = await openAccount(pool)
      const task = await createTask(wallet, 3n)
      await assert.rejects(transfer(wallet, 'reserve', 3n, task), /ledger_transfers_once/)
    })

    it('is settled once: a refund cannot happen twice', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      // A second task keeps enough on hold that the balance alone would not refuse.
      await createTask(wallet, 10n)
      const task = await createTask(wallet, 3n)
      await transfer(wallet, 'release', 3n, task)
      await assert.rejects(transfer(wallet, 'release', 3n, task), /ledger_transfers_once/)
      await assert.rejects(transfer(wallet, 'capture', 3n, task), /settles 6 of 3 reserved/)
      // Leave the ledger whole: the task ends as what its hold says.
      await pool.query(`update tasks set state = 'canceled', finished_at = now() where id = $1`, [uuidOf(task)])
      assert.equal(await balanceOf(wallet), '20/10/10/0')
    })

    it('is settled whole: neither a part of it nor more than it', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      await createTask(wallet, 10n)
      const task = await createTask(wallet, 3n)
      await assert.rejects(transfer(wallet, 'release', 2n, task), /settles 2 of 3 reserved/)
      await assert.rejects(transfer(wallet, 'capture', 4n, task), /settles 4 of 3 reserved/)
      assert.equal(await balanceOf(wallet), '20/7/13/0')
    })

    it('is settled whole at commit, so that its two parts may come one after the other', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      const task = await createTask(wallet, 3n)
      const insert = 'insert into ledger_transfers (wallet_id, kind, amount, task_id) values ($1, $2, $3, $4)'
      await assert.rejects(
        inTransaction(pool, async (client) => {
          await client.query(insert, [wallet, 'capture', 1n, uuidOf(task)])
          await client.query(insert, [wallet, 'release', 1n, uuidOf(task)])
        }),
        /settles 2 of 3 reserved/,
      )
      assert.equal(await balanceOf(wallet), '20/17/3/0')
    })

    it('cannot be settled from another wallet', async () => {
      const [wallet, other] = [await openAccount(pool), await openAccount(pool)]
      const task = await createTask(wallet, 3n)
      await createTask(other, 3n)
      await assert.rejects(transfer(other, 'release', 3n, task), /settles 3 of 0 reserved/)
    })
  })

  describe('settling', () => {
    it('above the hold is refused, and changes nothing', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      const task = await createTask(wallet, 10n)
      await assert.rejects(settle(task, 'succeeded', 11n), { code: '23514' })
      assert.equal(await balanceOf(wallet), '20/10/10/0')
    })

    it('below the hold gives the difference back, once', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      const task = await createTask(wallet, 10n)
      assert.equal(await settle(task, 'succeeded', 4n), 1)
      assert.equal(await settle(task, 'succeeded', 4n), 0)
      assert.equal(await balanceOf(wallet), '20/16/0/4')
    })

    it('of a free task moves nothing', async () => {
      const wallet = await openAccount(pool, { credits: 1n })
      assert.equal(await settle(await createTask(wallet, 0n), 'succeeded', 0n), 1)
      assert.equal(await settle(await createTask(wallet, 0n), 'failed', 0n), 1)
      assert.equal(await balanceOf(wallet), '1/1/0/0')
      assert.equal((await selectStatement(pool, wallet, 10)).length, 1)
    })

    it('as anything but succeeded cannot charge', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      const task = await createTask(wallet, 10n)
      for (const state of ['failed', 'canceled', 'expired']) {
        await assert.rejects(settle(task, state, 1n), /only_success_costs/, state)
      }
      assert.equal(await balanceOf(wallet), '20/10/10/0')
    })

    it('writes the state and the money together or not at all', async () => {
      const wallet = await openAccount(pool, { credits: 20n })
      const task = await createTask(wallet, 10n)
      await pool.query(`
      create function break_capture() returns trigger language plpgsql as $$
        begin raise exception 'the disk is full'; end $$;
      create trigger break_capture before insert on ledger_transfers for each row
        when (new.kind = 'capture') execute function break_capture()`)
      try {
        await assert.rejects(settle(task, 'succeeded', 10n), /the disk is full/)
        const { rows } = await pool.query('select state from tasks where id = $1', [uuidOf(task)])
        assert.deepEqual(rows, [{ state: 'queued' }])
        assert.equal(await balanceOf(wallet), '20/10/10/0')
      } finally {
        await pool.query('drop trigger break_capture on ledger_transfers; drop function break_capture')
      }
      assert.equal(await settle(task, 'succeeded', 10n), 1)
      assert.equal(await balanceOf(wallet), '20/10/0/10')
    })
  })

  describe('a task that has ended', () => {
    for (const state of TERMINAL) {
      it(`as ${state} stays ${state}`, async () => {
        const wallet = await openAccount(pool, { credits: 20n })
        const task = await createTask(wallet, 10n)
        assert.equal(await settle(task, state, state === 'succeeded' ? 10n : 0n), 1)
        const balance = await balanceOf(wallet)
        for (const other of [...OPEN, ...TERMINAL.filter((each) => each !== state)]) {
          const change = pool.query(
            `update tasks set state = $2, final_credits = 0,
             failure_reason = case when $2 = 'failed' then 'internal' end where id = $1`,
            [uuidOf(task), other],
          )
          await assert.rejects(change, /a terminal state is final/, other)
          assert.equal(await settle(task, other, 0n), 0, 'a second settlement finds nothing to settle')
        }
        assert.equal((await cancelTask(pool, wallet, task)).kind, state === 'canceled' ? 'canceled' : 'too_late')
        assert.equal(await balanceOf(wallet), balance)
      })
    }

    it('as failed says why, and no other says so', async () => {
      const wallet = await openAccount(pool)
      const task = await createTask(wallet, 1n)
      const set = (assignment: string) => pool.query(`update tasks set ${assignment} where id = $1`, [uuidOf(task)])
      await assert.rejects(set(`state = 'failed'`), /failed_says_why/)
      await assert.rejects(set(`failure_reason = 'internal'`), /failed_says_why/)
    })
  })
})
