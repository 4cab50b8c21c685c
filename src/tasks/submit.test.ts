import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type pg from 'pg'
import { newTask, openAccount } from '../../test/faults/workshop.ts'
import { type TestDatabase, testDatabase } from '../../test/support/database.ts'
import { openPool } from '../db/database.ts'
import { findViolations } from '../ledger/invariants.ts'
import { selectBalance, type WalletId } from '../ledger/queries.ts'
import { setFaultHook } from '../observe/fault-point.ts'
import type { NewTask } from './new-task.ts'
import { deleteOldIdempotencyKeys } from './queries.ts'
import { type SubmitOutcome, Submitter } from './submit.ts'

let database: TestDatabase
let pool: pg.Pool
let submitter: Submitter

/** Fingerprints are SHA-256 in hex; equal bodies have equal ones. */
function keyed(wallet: WalletId, key: string, body: string, change: Partial<NewTask> = {}): NewTask {
  const fingerprint = Buffer.from(body).toString('hex').padEnd(64, '0')
  return newTask(wallet, body, { idempotency: { key, fingerprint }, ...change })
}

function kinds(outcomes: readonly SubmitOutcome[]): string[] {
  return outcomes.map((outcome) => outcome.kind)
}

async function availableIn(wallet: WalletId): Promise<bigint | undefined> {
  return (await selectBalance(pool, wallet))?.available
}

async function tasksOf(wallet: WalletId): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('select count(*)::integer as n from tasks where wallet_id = $1', [
    wallet,
  ])
  return rows[0]?.n ?? -1
}

/** Submits in one turn of the event loop, so that one statement carries them all; proves that it did. */
async function inOneBatch(tasks: readonly NewTask[]): Promise<SubmitOutcome[]> {
  let batches = 0
  setFaultHook((point) => {
    if (point === 'submit.before') batches += 1
  })
  try {
    const outcomes = await Promise.all(tasks.map((task) => submitter.submit(task)))
    assert.equal(batches, 1)
    return outcomes
  } finally {
    setFaultHook(undefined)
  }
}

describe('creating tasks', () => {
  before(async () => {
    database = await testDatabase()
    pool = database.pool
  })
  beforeEach(() => {
    submitter = new Submitter(pool)
  })
  after(async () => {
    const violations = await findViolations(pool)
    await database[Symbol.asyncDispose]()
    assert.deepEqual(violations, [])
  })

  describe('creates on one balance', () => {
    it('50 at once on a balance for 7 admit exactly 7', async () => {
      const wallet = await openAccount(pool, { credits: 79n })
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => submitter.submit(newTask(wallet, `${n}`))),
      )
      assert.equal(kinds(outcomes).filter((kind) => kind === 'created').length, 7)
      assert.equal(kinds(outcomes).filter((kind) => kind === 'insufficient').length, 43)
      assert.equal(await availableIn(wallet), 9n)
      assert.equal(await tasksOf(wallet), 7)
    })

    it('50 at once through 5 nodes on a balance for 7 admit exactly 7', async () => {
      const wallet = await openAccount(pool, { credits: 79n })
      const nodes = Array.from({ length: 5 }, () => openPool({ connectionString: database.url }, 2))
      try {
        const submitters = nodes.map((node) => new Submitter(node))
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            submitters.map((each, at) => each.submit(newTask(wallet, `${n} ${at}`))),
          ).flat(),
        )
        assert.equal(kinds(outcomes).filter((kind) => kind === 'created').length, 7)
        assert.equal(kinds(outcomes).filter((kind) => kind === 'insufficient').length, 43)
        assert.equal(await availableIn(wallet), 9n)
        assert.equal(await tasksOf(wallet), 7)
      } finally {
        await Promise.all(nodes.map((node) => node.end()))
      }
    })

    it('one too large to be paid does not block a small one behind it, nor take from the balance', async () => {
      const wallet = await openAccount(pool, { credits: 30n })
      const prices = [25n, 100n, 5n, 1n, 0n]
      const outcomes = await inOneBatch(prices.map((priceCredits) => newTask(wallet, 'a test', { priceCredits })))
      assert.deepEqual(kinds(outcomes), ['created', 'insufficient', 'created', 'insufficient', 'created'])
      const [, tooLarge, , tooLate] = outcomes
      assert.deepEqual(tooLarge, { kind: 'insufficient', availableCredits: 5n })
      assert.deepEqual(tooLate, { kind: 'insufficient', availableCredits: 0n })
    })

    it('each of one batch gets its own outcome, whatever wallets are mixed', async () => {
      const rich = await openAccount(pool, { credits: 100n })
      const poor = await openAccount(pool, { credits: 10n })
      const empty = await openAccount(pool, { credits: 0n })
      const outcomes = await inOneBatch([
        newTask(poor, 'poor 1'),
        newTask(rich, 'rich 1'),
        newTask(empty, 'empty 1'),
        newTask(poor, 'poor 2'),
        newTask(rich, 'rich 2'),
        newTask(empty, 'empty 2', { priceCredits: 0n }),
      ])
      assert.deepEqual(kinds(outcomes), ['created', 'created', 'insufficient', 'insufficient', 'created', 'created'])
      assert.deepEqual([await availableIn(rich), await availableIn(poor), await availableIn(empty)], [80n, 0n, 0n])
    })
  })

  describe('an idempotency key', () => {
    it('gives a retried create its first task, one hold and one row, even when the price has changed since', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const first = await submitter.submit(keyed(wallet, 'k', 'a body'))
      const again = await submitter.submit(keyed(wallet, 'k', 'a body', { priceCredits: 99n }))
      assert.ok(first.kind === 'created' && again.kind === 'replayed')
      assert.equal(again.id, first.id)
      assert.equal(await availableIn(wallet), 90n)
      assert.equal(await tasksOf(wallet), 1)
    })

    it('with another body is a conflict, and holds nothing', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      await submitter.submit(keyed(wallet, 'k', 'a body'))
      assert.deepEqual(await submitter.submit(keyed(wallet, 'k', 'another body')), { kind: 'conflict' })
      assert.equal(await availableIn(wallet), 90n)
    })

    it('belongs to its wallet: another may use the same', async () => {
      const [one, other] = [await openAccount(pool), await openAccount(pool)]
      const outcomes = await inOneBatch([keyed(one, 'k', 'a body'), keyed(other, 'k', 'another body')])
      assert.deepEqual(kinds(outcomes), ['created', 'created'])
    })

    it('twice in one batch is one task; with another body a conflict there, too', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const outcomes = await inOneBatch([
        keyed(wallet, 'k', 'a body'),
        keyed(wallet, 'k', 'a body'),
        keyed(wallet, 'k', 'another body'),
        keyed(wallet, 'k', 'a body'),
        keyed(wallet, 'other', 'a body'),
      ])
      assert.deepEqual(kinds(outcomes), ['created', 'replayed', 'conflict', 'replayed', 'created'])
      const ids = outcomes.map((outcome) => ('id' in outcome ? outcome.id : ''))
      assert.equal(ids[1], ids[0])
      assert.equal(ids[3], ids[0])
      assert.equal(await availableIn(wallet), 80n)
    })

    it('of a create that could not be paid is free for the next, also within one batch', async () => {
      const wallet = await openAccount(pool, { credits: 15n })
      const dear = keyed(wallet, 'k', 'a body', { priceCredits: 20n })
      assert.deepEqual(kinds([await submitter.submit(dear)]), ['insufficient'])
      const outcomes = await Promise.all(
        [dear, keyed(wallet, 'k', 'a cheaper body'), keyed(wallet, 'k', 'a cheaper body')].map((task) =>
          submitter.submit(task),
        ),
      )
      assert.deepEqual(kinds(outcomes), ['insufficient', 'created', 'replayed'])
      assert.equal(await availableIn(wallet), 5n)
      assert.equal(await tasksOf(wallet), 1)
    })

    it('sent to many nodes at once makes one task', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const submitters = Array.from({ length: 8 }, () => new Submitter(pool))
      const outcomes = await Promise.all(submitters.map((each) => each.submit(keyed(wallet, 'k', 'a body'))))
      assert.deepEqual(kinds(outcomes).sort(), ['created', ...Array(7).fill('replayed')])
      assert.equal(new Set(outcomes.map((outcome) => ('id' in outcome ? outcome.id : ''))).size, 1)
      assert.equal(await availableIn(wallet), 90n)
    })

    it('is remembered for 24 hours by the clock of the database, and no longer', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const age = (interval: string) =>
        pool.query('update idempotency_keys set created_at = now() - $2::interval where wallet_id = $1', [
          wallet,
          interval,
        ])
      await submitter.submit(keyed(wallet, 'k', 'a body'))
      await age('23 hours 59 minutes')
      assert.deepEqual(kinds([await submitter.submit(keyed(wallet, 'k', 'a body'))]), ['replayed'])
      await age('24 hours')
      assert.deepEqual(kinds([await submitter.submit(keyed(wallet, 'k', 'another body'))]), ['created'])
      assert.deepEqual(kinds([await submitter.submit(keyed(wallet, 'k', 'another body'))]), ['replayed'])
    })

    it('past its lifetime is deleted by the chore, in batches; a living one is not', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      for (const key of ['a', 'b', 'c']) await submitter.submit(keyed(wallet, key, 'a body'))
      await pool.query(
        `update idempotency_keys set created_at = now() - interval '25 hours' where wallet_id = $1 and key in ('a', 'b')`,
        [wallet],
      )
      assert.equal(await deleteOldIdempotencyKeys(pool, 1), 1)
      assert.equal(await deleteOldIdempotencyKeys(pool, 200), 1)
      assert.equal(await deleteOldIdempotencyKeys(pool, 200), 0)
      assert.deepEqual(kinds([await submitter.submit(keyed(wallet, 'c', 'a body'))]), ['replayed'])
    })
  })

  describe('trouble', () => {
    it('with one request that the database cannot store does not fail its neighbours', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const unstorable = newTask(wallet, 'a \0 is no text')
      const submits = [newTask(wallet, '1'), unstorable, keyed(wallet, 'k', '2'), keyed(wallet, 'k', '2')]
      const [one, bad, two, three] = await Promise.allSettled(submits.map((task) => submitter.submit(task)))
      assert.ok(one?.status === 'fulfilled' && one.value.kind === 'created')
      assert.equal(bad?.status, 'rejected')
      assert.ok(two?.status === 'fulfilled' && two.value.kind === 'created')
      assert.ok(three?.status === 'fulfilled' && three.value.kind === 'replayed')
      assert.equal(await availableIn(wallet), 80n)
    })

    it('with a wallet that does not exist fails that request alone', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const outcomes = await Promise.allSettled([
        submitter.submit(newTask(wallet, '1')),
        submitter.submit(newTask(999_999n, '2')),
        submitter.submit(newTask(wallet, '3')),
      ])
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.kind : outcome.status)),
        ['created', 'rejected', 'created'],
      )
    })

    it('reaching the database rejects every waiting request, and nothing of them is written', async () => {
      const wallet = await openAccount(pool, { credits: 1_000n })
      const away = openPool(
        { connectionString: 'postgresql://reelay@127.0.0.1:1/none', connectionTimeoutMillis: 500 },
        2,
      )
      const cutOff = new Submitter(away)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => cutOff.submit(newTask(wallet, `${n}`))),
      )
      await away.end()
      assert.ok(outcomes.every((outcome) => outcome.status === 'rejected'))
      assert.equal(await availableIn(wallet), 1_000n)
    })

    it('with the connection after the commit rejects, and the retry with the same key finds the task', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      setFaultHook((point) => {
        if (point === 'submit.committed') throw new Error('the connection was lost after the commit')
      })
      await assert.rejects(submitter.submit(keyed(wallet, 'k', 'a body')), /after the commit/)
      setFaultHook(undefined)
      assert.deepEqual(kinds([await submitter.submit(keyed(wallet, 'k', 'a body'))]), ['replayed'])
      assert.equal(await availableIn(wallet), 90n)
    })

    it('with connections that the server ends under load loses no request and makes none twice', async () => {
      const wallet = await openAccount(pool, { credits: 10_000n })
      const shaky = openPool({ connectionString: database.url, application_name: 'shaky' }, 4)
      const node = new Submitter(shaky)
      const kill = setInterval(() => {
        pool
          .query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'shaky' limit 1`)
          .catch(() => {})
      }, 5)
      const outcomes: string[] = []
      for (let round = 0; round < 20; round += 1) {
        const creates = Array.from({ length: 10 }, (_, n) => keyed(wallet, `${round}-${n}`, 'a body'))
        for (const settled of await Promise.allSettled(creates.map((task) => node.submit(task)))) {
          outcomes.push(settled.status === 'fulfilled' ? settled.value.kind : settled.status)
        }
      }
      clearInterval(kill)
      await shaky.end()
      // Whoever was told nothing asks again with the same key, as a client would.
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome === 'created') continue
        assert.equal(outcome, 'rejected')
        const retried = await submitter.submit(keyed(wallet, `${Math.floor(at / 10)}-${at % 10}`, 'a body'))
        assert.ok(retried.kind === 'created' || retried.kind === 'replayed')
      }
      assert.equal(await tasksOf(wallet), 200)
      assert.equal(await availableIn(wallet), 8_000n)
    })

    it('in the shape of too many waiting is said at once, and nothing is written for those', async () => {
      const wallet = await openAccount(pool, { credits: 100n })
      const submits = Array.from({ length: 5_003 }, (_, n) => submitter.submit(newTask(wallet, `${n}`)))
      const outcomes = kinds(await Promise.all(submits))
      assert.deepEqual(outcomes.slice(-3), ['overloaded', 'overloaded', 'overloaded'])
      assert.equal(outcomes.filter((kind) => kind === 'created').length, 10)
      assert.equal(outcomes.filter((kind) => kind === 'overloaded').length, 3)
      assert.equal(await tasksOf(wallet), 10)
    })
  })
})
