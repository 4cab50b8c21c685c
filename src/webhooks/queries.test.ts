import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type pg from 'pg'
import { openAccount } from '../../test/faults/workshop.ts'
import { testDatabase } from '../../test/support/database.ts'
import { type AccountId, idOf, newId, uuidOf } from '../canonical/ids.ts'
import { type ClaimOptions, claimDueDeliveries, recordAttempt, releaseDeliveries } from './queries.ts'

const CLAIM: ClaimOptions = {
  kind: 'callback',
  worker: 'one',
  limit: 100,
  leaseMs: 60_000,
  roomOfHost: new Map(),
  maxPerHost: 5,
  heldByAccount: new Map(),
  shares: { atOnce: 100, ofOneKey: 8 },
}

/** Deliveries that are due, each of a task of its own, the earlier ones longer. Returns their account. */
async function insertDue(pool: pg.Pool, urls: readonly string[]): Promise<AccountId> {
  const wallet = await openAccount(pool)
  const { rows } = await pool.query<{ account_id: string }>('select account_id from wallets where id = $1', [wallet])
  const account = rows[0]?.account_id ?? ''
  for (const [index, url] of urls.entries()) {
    await pool.query(
      `with task as (
         insert into tasks (id, wallet_id, dialect, model, request, body, trace_id, price_credits, provider, deadline_at)
         values ($1, $2, 'test', 'test', '{}', '{}', $1, 0, 'test', now()) returning id
       )
       insert into deliveries (id, task_id, account_id, kind, url, due_at)
       select $3, id, $4, 'callback', $5, now() - make_interval(secs => 1000 - $6) from task`,
      [uuidOf(newId('task')), wallet, randomUUID(), account, url, index],
    )
  }
  return idOf('acct', account)
}

function times<T>(count: number, value: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => value(n))
}

describe('a claim', () => {
  test('takes the longest due first, so many of each host, and looks past a host that is full', async () => {
    await using database = await testDatabase()
    const { pool } = database
    await insertDue(pool, [...times(7, (n) => `https://slow.example.com/${n}`), 'https://SLOW.example.com:443/'])
    await insertDue(pool, ['https://other.example.com:8443/', 'https://other.example.com/'])
    const claimed = await claimDueDeliveries(pool, CLAIM)
    const count = (host: string) => claimed.filter((each) => each.host === host).length
    assert.deepEqual(
      ['slow.example.com', 'slow.example.com:443', 'other.example.com:8443', 'other.example.com'].map(count),
      [5, 1, 1, 1],
    )
    assert.ok(times(5, (n) => n).every((n) => claimed.some(({ url }) => url.endsWith(`slow.example.com/${n}`))))
    assert.deepEqual(await claimDueDeliveries(pool, { ...CLAIM, roomOfHost: new Map([['slow.example.com', 0]]) }), [])
    const room = await claimDueDeliveries(pool, { ...CLAIM, roomOfHost: new Map([['slow.example.com', 1]]) })
    assert.equal(room.length, 1)
  })

  test('gives no account more than its share, however many hosts it names', async () => {
    await using database = await testDatabase()
    const { pool } = database
    const greedy = await insertDue(
      pool,
      times(50, (n) => `https://h${n}.example.com/`),
    )
    await insertDue(pool, ['https://modest.example.com/'])
    const claimed = await claimDueDeliveries(pool, CLAIM)
    assert.equal(claimed.filter(({ accountId }) => accountId === greedy).length, 8)
    assert.equal(claimed.length, 9)
    assert.deepEqual(await claimDueDeliveries(pool, { ...CLAIM, limit: 92, heldByAccount: new Map([[greedy, 8]]) }), [])
  })

  test('leaves places for accounts that come later, however many accounts there are before them', async () => {
    await using database = await testDatabase()
    const { pool } = database
    const shares = { atOnce: 16, ofOneKey: 4 }
    const held = new Map<AccountId, number>()
    let free = shares.atOnce
    for (let account = 1; account <= 7; account++) {
      const id = await insertDue(
        pool,
        times(20, (n) => `https://h${n}-${account}.example.com/`),
      )
      const claimed = await claimDueDeliveries(pool, { ...CLAIM, limit: free, heldByAccount: held, shares })
      assert.ok(claimed.length >= 1, `account ${account} has none`)
      assert.ok(claimed.every(({ accountId }) => accountId === id))
      held.set(id, claimed.length)
      free -= claimed.length
    }
    assert.ok(free > 0)
  })

  test('takes first what is of accounts with the fewest under way', async () => {
    await using database = await testDatabase()
    const { pool } = database
    const busy = await insertDue(pool, ['https://a.example.com/'])
    const idle = await insertDue(pool, ['https://b.example.com/'])
    const [first] = await claimDueDeliveries(pool, { ...CLAIM, limit: 1, heldByAccount: new Map([[busy, 1]]) })
    assert.equal(first?.accountId, idle)
  })

  test('takes nothing that is not due, leased, ended or of another kind, and each row once', async () => {
    await using database = await testDatabase()
    const { pool } = database
    await insertDue(
      pool,
      times(40, (n) => `https://h${n % 10}.example.com/`),
    )
    const wide = { ...CLAIM, maxPerHost: 100, shares: { atOnce: 100, ofOneKey: 100 } }
    assert.deepEqual(await claimDueDeliveries(pool, { ...wide, kind: 'upload' }), [])
    const claims = await Promise.all(times(8, (n) => claimDueDeliveries(pool, { ...wide, worker: `w${n}`, limit: 5 })))
    const ids = claims.flat().map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    const rest = await claimDueDeliveries(pool, wide)
    assert.equal(ids.length + rest.length, 40)
    const [first] = rest.length > 0 ? rest : claims.flat()
    assert.ok(first)
    const done = { plan: { state: 'delivered' }, status: 200, error: undefined } as const
    assert.equal(await recordAttempt(pool, { ...first, fence: first.fence - 1n }, done), false)
    assert.equal(await recordAttempt(pool, first, done), true)
    assert.equal(await recordAttempt(pool, first, done), false)
    assert.deepEqual(await claimDueDeliveries(pool, wide), [])
    for (const worker of ['one', ...times(8, (n) => `w${n}`)]) await releaseDeliveries(pool, worker)
    assert.equal((await claimDueDeliveries(pool, wide)).length, 39)
  })
})
