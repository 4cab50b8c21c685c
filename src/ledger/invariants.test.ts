/**
 * A check that never fires proves nothing: each rule of `findViolations` is broken here, with the guards of the database
 * switched off, and must be found; and nothing else may be.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type pg from 'pg'
import { newTask, openAccount } from '../../test/faults/workshop.ts'
import { testDatabase } from '../../test/support/database.ts'
import { type TaskId, uuidOf } from '../canonical/ids.ts'
import { Submitter } from '../tasks/submit.ts'
import { findViolations } from './invariants.ts'
import type { WalletId } from './queries.ts'

const RULES = {
  sum: 'balance is the sum of its entries',
  negative: 'no balance is negative, granted = available + held + spent',
  reserve: 'a task reserves its price, in its own wallet',
  open: 'an open task has settled nothing',
  ended: 'an ended task is settled whole, and charged what it says',
  free: 'a failed, canceled or expired task costs nothing',
  held: 'what is held belongs to open tasks',
  video: 'a succeeded task has its video',
} as const

interface Case {
  readonly wallet: WalletId
  readonly task: TaskId
}

async function openTask(pool: pg.Pool): Promise<Case> {
  const wallet = await openAccount(pool, { credits: 100n })
  const outcome = await new Submitter(pool).submit(newTask(wallet, 'a test'))
  if (outcome.kind !== 'created') throw new assert.AssertionError({ message: outcome.kind })
  return { wallet, task: outcome.id }
}

type Statement = readonly [text: string, ...values: unknown[]]

/** Runs statements as no program of ours can: triggers and foreign keys off, checks of the two tables dropped. */
async function corrupt(pool: pg.Pool, statements: readonly Statement[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('set local session_replication_role = replica')
    await client.query(`
      alter table wallets drop constraint if exists wallet_is_balanced, drop constraint if exists wallets_available_check,
        drop constraint if exists wallets_held_check, drop constraint if exists wallets_spent_check`)
    await client.query('alter table tasks drop constraint if exists only_success_costs')
    for (const [text, ...values] of statements) await client.query(text, values)
    await client.query('commit')
  } finally {
    client.release()
  }
}

const TRANSFER = 'insert into ledger_transfers (wallet_id, kind, amount, task_id) values ($1, $2, $3, $4)'
const ADJUST = 'update wallets set available = available + $2, held = held + $3, spent = spent + $4 where id = $1'
const END = `update tasks set state = $2, final_credits = $3, failure_reason = case when $2 = 'failed' then 'internal' end
             where id = $1`

/** How each rule is broken, and every rule that the damage breaks. */
const DAMAGES: readonly {
  readonly name: string
  readonly breaks: readonly (keyof typeof RULES)[]
  readonly damage: (of: Case) => readonly Statement[]
}[] = [
  {
    name: 'a balance that was raised by hand',
    breaks: ['sum'],
    damage: ({ wallet }) => [
      ['update wallets set granted = granted + 1, available = available + 1 where id = $1', wallet],
    ],
  },
  {
    name: 'a transfer that was lost on its way to the balance',
    breaks: ['sum'],
    damage: ({ wallet }) => [[TRANSFER, wallet, 'grant', 5, null]],
  },
  {
    name: 'a wallet that was overdrawn',
    breaks: ['negative'],
    damage: ({ wallet }) => [
      [TRANSFER, wallet, 'revoke', 91, null],
      ['update wallets set granted = granted - 91, available = available - 91 where id = $1', wallet],
    ],
  },
  {
    name: 'a task without its hold',
    breaks: ['reserve', 'held'],
    damage: ({ wallet, task }) => [
      ['delete from ledger_transfers where task_id = $1', uuidOf(task)],
      [ADJUST, wallet, 10, -10, 0],
    ],
  },
  {
    name: 'a task whose price was changed',
    breaks: ['reserve', 'held'],
    damage: ({ task }) => [['update tasks set price_credits = 11 where id = $1', uuidOf(task)]],
  },
  {
    name: 'an open task whose credits went back',
    breaks: ['open', 'held'],
    damage: ({ wallet, task }) => [
      [TRANSFER, wallet, 'release', 10, uuidOf(task)],
      [ADJUST, wallet, 10, -10, 0],
    ],
  },
  {
    name: 'a terminal state without its settlement',
    breaks: ['ended', 'held'],
    damage: ({ task }) => [[END, uuidOf(task), 'failed', 0]],
  },
  {
    name: 'a failed task that was charged',
    breaks: ['ended', 'free'],
    damage: ({ wallet, task }) => [
      [TRANSFER, wallet, 'capture', 10, uuidOf(task)],
      [ADJUST, wallet, 0, -10, 10],
      [END, uuidOf(task), 'failed', 0],
    ],
  },
  {
    name: 'a task that says another charge than the ledger',
    breaks: ['ended', 'video'],
    damage: ({ wallet, task }) => [
      [TRANSFER, wallet, 'capture', 10, uuidOf(task)],
      [ADJUST, wallet, 0, -10, 10],
      [END, uuidOf(task), 'succeeded', 9],
    ],
  },
  {
    name: 'a success without a video',
    breaks: ['video'],
    damage: ({ wallet, task }) => [
      [TRANSFER, wallet, 'capture', 10, uuidOf(task)],
      [ADJUST, wallet, 0, -10, 10],
      [END, uuidOf(task), 'succeeded', 10],
    ],
  },
]

test('nothing is found where nothing is wrong', async () => {
  await using healthy = await testDatabase()
  await openTask(healthy.pool)
  assert.deepEqual(await findViolations(healthy.pool), [])
})

for (const { name, breaks, damage } of DAMAGES) {
  test(`finds ${name}`, async () => {
    await using damaged = await testDatabase()
    const about = await openTask(damaged.pool)
    await openTask(damaged.pool)
    await corrupt(damaged.pool, damage(about))
    const violations = await findViolations(damaged.pool)
    assert.deepEqual(violations.map(({ rule }) => rule).sort(), breaks.map((rule) => RULES[rule]).sort())
    for (const { subject } of violations) {
      assert.ok([`wallet ${about.wallet}`, `task ${uuidOf(about.task)}`].includes(subject), subject)
    }
  })
}

test('finds a hold that was taken from another wallet', async () => {
  await using damaged = await testDatabase()
  const [mine, other] = [await openTask(damaged.pool), await openTask(damaged.pool)]
  await corrupt(damaged.pool, [
    ['update ledger_transfers set wallet_id = $2 where task_id = $1', uuidOf(mine.task), other.wallet],
    [ADJUST, mine.wallet, 10, -10, 0],
    [ADJUST, other.wallet, -10, 10, 0],
  ])
  const rules = (await findViolations(damaged.pool)).map(({ rule }) => rule)
  assert.deepEqual(rules.sort(), [RULES.held, RULES.held, RULES.reserve].sort())
})

test('every rule was broken by something above', () => {
  const broken = new Set(DAMAGES.flatMap(({ breaks }) => breaks))
  assert.deepEqual([...broken].sort(), Object.keys(RULES).sort())
})
