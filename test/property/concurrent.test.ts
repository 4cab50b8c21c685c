/**
 * Everything that moves credits, at once, from several nodes on a few hot wallets. No oracle can say who comes first; but
 * whoever does, credits are conserved, every outcome is one that the money explains, and no rule of the ledger breaks.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type pg from 'pg'
import { uuidOf } from '../../src/canonical/ids.ts'
import { openPool } from '../../src/db/database.ts'
import { grant, revoke } from '../../src/ledger/grant.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { selectBalance, type WalletId } from '../../src/ledger/queries.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { admitTasks, type LeasedTask } from '../../src/tasks/lease-queries.ts'
import { settleTask } from '../../src/tasks/settle-queries.ts'
import { Submitter } from '../../src/tasks/submit.ts'
import { announceSeed, newTask, openAccount, seededRandom } from '../faults/workshop.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { videoOf } from './video-row.ts'

const NODES = 6
const STEPS = 80
const START_CREDITS = 200

/** What all nodes together have moved, by wallet. */
class Totals {
  readonly #granted = new Map<WalletId, number>()
  readonly #captured = new Map<WalletId, number>()

  grant(wallet: WalletId, amount: number): void {
    this.#granted.set(wallet, this.granted(wallet) + amount)
  }

  capture(wallet: WalletId, amount: number): void {
    this.#captured.set(wallet, this.captured(wallet) + amount)
  }

  granted(wallet: WalletId): number {
    return this.#granted.get(wallet) ?? START_CREDITS
  }

  captured(wallet: WalletId): number {
    return this.#captured.get(wallet) ?? 0
  }
}

interface Held {
  readonly wallet: WalletId
  readonly task: LeasedTask
}

interface Shared {
  readonly wallets: readonly WalletId[]
  readonly walletOf: Map<string, WalletId>
  readonly totals: Totals
  /** Leased by anybody: any node may try to settle it, with one fence for all. */
  readonly leased: Held[]
  /** Which task each wallet's key stands for: the same for everybody who was told. */
  readonly keys: Map<string, string>
}

class Node {
  readonly #pool: pg.Pool
  readonly #random: () => number
  readonly #submitter: Submitter
  readonly #shared: Shared

  constructor(pool: pg.Pool, random: () => number, shared: Shared) {
    this.#pool = pool
    this.#random = random
    this.#submitter = new Submitter(pool)
    this.#shared = shared
  }

  async work(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const what = this.#random()
      if (what < 0.45) await Promise.all(Array.from({ length: this.#between(1, 5) }, () => this.#submit()))
      else if (what < 0.6) await this.#admit()
      else if (what < 0.85) await this.settleOne()
      else if (what < 0.9) await this.#cancel()
      else if (what < 0.95) await this.#grant()
      else await this.#revoke()
    }
  }

  async #submit(): Promise<void> {
    const { walletOf, keys } = this.#shared
    const [wallet, price] = [this.#wallet(), this.#between(0, 12)]
    const key = this.#random() < 0.5 ? undefined : `key-${this.#between(1, 200)}`
    const idempotency = key === undefined ? undefined : { key, fingerprint: '00'.repeat(32) }
    const task = newTask(wallet, 'a test', { provider: 'shared', priceCredits: BigInt(price), idempotency })
    walletOf.set(task.id, wallet)
    const outcome = await this.#submitter.submit(task)
    if (outcome.kind === 'insufficient') assert.ok(outcome.availableCredits < BigInt(price))
    else assert.match(outcome.kind, key === undefined ? /^created$/ : /^(created|replayed)$/)
    if (key === undefined || !('id' in outcome)) return
    const known = keys.get(`${wallet} ${key}`) ?? outcome.id
    assert.equal(outcome.id, known, 'one key is one task for everybody')
    keys.set(`${wallet} ${key}`, known)
  }

  async #admit(): Promise<void> {
    const { leased, walletOf } = this.#shared
    const options = {
      provider: 'shared',
      worker: 'any',
      concurrency: 10_000,
      affinity: 'any',
      leaseMs: 60_000,
    } as const
    const limits = { limit: this.#between(1, 20), planLimits: { enterprise: 10_000 }, deadlineMs: 60_000 }
    for (const task of await admitTasks(this.#pool, { ...options, ...limits })) {
      const wallet = walletOf.get(task.id)
      assert.ok(wallet !== undefined, 'only what somebody asked for is admitted')
      leased.push({ wallet, task })
    }
  }

  /** Two at once, of which at most one may win. */
  async settleOne(): Promise<void> {
    const { leased, totals } = this.#shared
    const held = leased[Math.floor(this.#random() * leased.length)]
    if (held === undefined) return
    const { wallet, task } = held
    const captureCredits = BigInt(this.#between(0, Number(task.priceCredits)))
    const failed = { state: 'failed', reason: 'generation_failed', message: 'It broke.' } as const
    await this.#pool.query(`update tasks set state = 'collecting' where id = $1 and state = 'submitting'`, [
      uuidOf(task.id),
    ])
    const [succeeded, didFail] = await Promise.all([
      settleTask(this.#pool, task, { state: 'succeeded', captureCredits, media: [videoOf(task.id)] }),
      settleTask(this.#pool, task, failed),
    ])
    assert.ok(!(succeeded && didFail), 'one task ends once')
    if (succeeded) totals.capture(wallet, Number(captureCredits))
  }

  async #cancel(): Promise<void> {
    const known = [...this.#shared.walletOf]
    const [id, wallet] = known[Math.floor(this.#random() * known.length)] ?? []
    if (id === undefined || wallet === undefined) return
    await cancelTask(this.#pool, wallet, id as LeasedTask['id'])
  }

  async #grant(): Promise<void> {
    const [wallet, amount] = [this.#wallet(), this.#between(1, 40)]
    await grant(this.#pool, wallet, BigInt(amount))
    this.#shared.totals.grant(wallet, amount)
  }

  async #revoke(): Promise<void> {
    const [wallet, amount] = [this.#wallet(), this.#between(1, 40)]
    if ((await revoke(this.#pool, wallet, BigInt(amount))) === 'revoked') this.#shared.totals.grant(wallet, -amount)
  }

  #wallet(): WalletId {
    const { wallets } = this.#shared
    return wallets[Math.floor(this.#random() * wallets.length)] ?? 0n
  }

  #between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }
}

describe('credits under everything at once', () => {
  let database: TestDatabase
  let pools: pg.Pool[]

  before(async () => {
    database = await testDatabase()
    pools = Array.from({ length: NODES }, () => openPool({ connectionString: database.url }, 4))
  })
  after(async () => {
    await Promise.all(pools.map((pool) => pool.end()))
    await database[Symbol.asyncDispose]()
  })

  it('are conserved, and end where the outcomes say', async (t) => {
    const seed = announceSeed(t)
    const random = seededRandom(seed)
    const wallets: WalletId[] = []
    for (let n = 0; n < 3; n += 1) {
      wallets.push(await openAccount(database.pool, { credits: BigInt(START_CREDITS) }))
    }
    const shared: Shared = { wallets, walletOf: new Map(), totals: new Totals(), leased: [], keys: new Map() }
    const nodes = pools.map((pool) => new Node(pool, seededRandom(Math.floor(random() * 2 ** 32)), shared))
    let isOver = false
    // Beside it somebody looks all the time: the rules hold at every moment, not only at the end.
    const looking = (async () => {
      let looks = 0
      for (; !isOver; looks += 1) assert.deepEqual(await findViolations(database.pool), [], `seed ${seed}`)
      return looks
    })()
    await Promise.all(nodes.map((node) => node.work())).finally(() => {
      isOver = true
    })
    t.diagnostic(`${shared.walletOf.size} creates, ${shared.leased.length} admitted, looked ${await looking} times`)
    assert.ok(shared.leased.length > 20)

    // Whatever is open ends; then nothing is held, and what was captured is what is spent.
    await database.pool.query(
      `select settle_task(id, null, array['queued', 'submitting', 'collecting'], 'expired', 0, null, null, '[]') from tasks`,
    )
    for (const wallet of wallets) {
      const balance = await selectBalance(database.pool, wallet)
      const [granted, spent] = [shared.totals.granted(wallet), shared.totals.captured(wallet)]
      assert.deepEqual(
        balance,
        { granted: BigInt(granted), available: BigInt(granted - spent), held: 0n, spent: BigInt(spent) },
        `seed ${seed}`,
      )
    }
    assert.deepEqual(await findViolations(database.pool), [], `seed ${seed}`)
  })

  it('admit, of equal creates that come all at once through all nodes, exactly what the money allows', async (t) => {
    const seed = announceSeed(t)
    const random = seededRandom(seed)
    for (let round = 0; round < 10; round += 1) {
      const price = 1 + Math.floor(random() * 9)
      const credits = Math.floor(random() * 150)
      const wallet = await openAccount(database.pool, { credits: BigInt(credits) })
      const submitters = pools.map((pool) => new Submitter(pool))
      const outcomes = await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          submitters[n % NODES]?.submit(newTask(wallet, `${n}`, { provider: 'nobody', priceCredits: BigInt(price) })),
        ),
      )
      const created = outcomes.filter((outcome) => outcome?.kind === 'created').length
      const refused = outcomes.filter((outcome) => outcome?.kind === 'insufficient').length
      assert.equal(created, Math.min(60, Math.floor(credits / price)), `seed ${seed}, round ${round}`)
      assert.equal(created + refused, 60, 'a run in which one failed otherwise is void')
    }
    assert.deepEqual(await findViolations(database.pool), [])
  })
})
