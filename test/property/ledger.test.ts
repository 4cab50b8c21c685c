/**
 * Random sequences of everything that moves credits, done to the product and to an oracle: after each step every balance
 * is what the oracle says, and at the end no rule of the ledger is broken. The sum of the entries differed from the
 * balance after some sequence in systems that kept both.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type pg from 'pg'
import { PLANS, type PlanName } from '../../src/accounts/plans.ts'
import { type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import { grant, revoke } from '../../src/ledger/grant.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import type { WalletId } from '../../src/ledger/queries.ts'
import { cancelTask } from '../../src/tasks/cancel.ts'
import { admitTasks, type LeasedTask } from '../../src/tasks/lease-queries.ts'
import type { NewTask } from '../../src/tasks/new-task.ts'
import { expireQueued, type Settlement, settleTask } from '../../src/tasks/settle-queries.ts'
import { Submitter } from '../../src/tasks/submit.ts'
import { announceSeed, newTask, openAccount, seededRandom } from '../faults/workshop.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'
import { Oracle } from './oracle.ts'
import { videoOf } from './video-row.ts'

const SEQUENCES = 6
const STEPS = 150
const PROVIDER = 'oracle'
const PLAN_LIMITS = Object.fromEntries(Object.entries(PLANS).map(([name, plan]) => [name, plan.concurrentTasks]))

/** One create, as the product and as the oracle are asked for it. */
interface Asked {
  readonly task: NewTask
  readonly oracle: Parameters<Oracle['submit']>[0]
}

/** One sequence: the product, the oracle, and what both have been told. */
class Sequence {
  readonly #pool: pg.Pool
  readonly #random: () => number
  readonly #submitter: Submitter
  readonly #oracle = new Oracle()
  readonly #wallets: WalletId[] = []
  /** Every task that was ever leased: stale ones are tried again, and must be refused. */
  readonly #leased: LeasedTask[] = []
  readonly #steps: readonly (() => Promise<string>)[] = [
    () => this.#grant(),
    () => this.#revoke(),
    () => this.#submit(),
    () => this.#submit(),
    () => this.#submitBatch(),
    () => this.#admit(),
    () => this.#settle(),
    () => this.#settle(),
    () => this.#cancel(),
    () => this.#expire(),
  ]

  constructor(pool: pg.Pool, random: () => number) {
    this.#pool = pool
    this.#random = random
    this.#submitter = new Submitter(pool)
  }

  async begin(): Promise<void> {
    for (const plan of ['free', 'pro', 'enterprise'] as const satisfies readonly PlanName[]) {
      const wallet = await openAccount(this.#pool, { plan, credits: 0n })
      this.#wallets.push(wallet)
      this.#oracle.open(String(wallet), PLANS[plan].concurrentTasks)
    }
  }

  /** One random step and the comparison after it. Tells what was done. */
  async step(): Promise<string> {
    const done = await this.#pick(this.#steps)()
    const { rows } = await this.#pool.query<{ id: bigint; balance: string }>(
      `select id, concat_ws('/', granted, available, held, spent) as balance from wallets where id = any ($1)`,
      [this.#wallets],
    )
    for (const { id, balance } of rows)
      assert.equal(balance, this.#oracle.balance(String(id)), `wallet ${id} after ${done}`)
    return done
  }

  async #grant(): Promise<string> {
    const [wallet, amount] = [this.#pick(this.#wallets), this.#between(1, 60)]
    await grant(this.#pool, wallet, BigInt(amount))
    this.#oracle.grant(String(wallet), amount)
    return `grant ${amount}`
  }

  async #revoke(): Promise<string> {
    const [wallet, amount] = [this.#pick(this.#wallets), this.#between(1, 40)]
    const outcome = await revoke(this.#pool, wallet, BigInt(amount))
    assert.equal(outcome, this.#oracle.revoke(String(wallet), amount))
    return `revoke ${amount}: ${outcome}`
  }

  async #submit(): Promise<string> {
    const asked = this.#request()
    return this.#compareSubmit(asked, await this.#submitter.submit(asked.task))
  }

  /** Several at once, so that they share a statement: the oracle takes them wallet by wallet, in their order. */
  async #submitBatch(): Promise<string> {
    const asked = Array.from({ length: this.#between(2, 8) }, () => this.#request())
    const outcomes = await Promise.all(asked.map(({ task }) => this.#submitter.submit(task)))
    const told = asked.map((each, at) => this.#compareSubmit(each, outcomes[at]))
    return `together: ${told.join('; ')}`
  }

  #request(): Asked {
    const [wallet, price] = [this.#pick(this.#wallets), this.#pick([0, 0, 1, 5, 10, 10, 25])]
    // Few keys and bodies, so that they meet again.
    const key = this.#random() < 0.5 ? undefined : `key-${this.#between(1, 12)}`
    const body = `body ${this.#between(1, 2)}`
    const fingerprint = Buffer.from(body).toString('hex').padEnd(64, '0')
    const idempotency = key === undefined ? undefined : { key, fingerprint }
    const task = newTask(wallet, body, { provider: PROVIDER, priceCredits: BigInt(price), idempotency })
    return { task, oracle: { wallet: String(wallet), task: task.id, price, key, body } }
  }

  #compareSubmit(asked: Asked, outcome: Awaited<ReturnType<Submitter['submit']>> | undefined): string {
    assert.ok(outcome)
    const told = 'id' in outcome ? `${outcome.kind} ${outcome.id}` : outcome.kind
    assert.equal(told, this.#oracle.submit(asked.oracle), `submit for ${asked.oracle.price}`)
    return `submit for ${asked.oracle.price}: ${outcome.kind}`
  }

  async #admit(): Promise<string> {
    const limit = this.#between(1, 6)
    const options = { provider: PROVIDER, worker: 'me', concurrency: 1_000, affinity: 'any', leaseMs: 60_000 } as const
    const admitted = await admitTasks(this.#pool, { ...options, limit, planLimits: PLAN_LIMITS, deadlineMs: 60_000 })
    assert.equal(admitted.length, this.#oracle.admissible(limit), 'as many as there is room for')
    for (const task of [...admitted].sort((a, b) => (a.id < b.id ? -1 : 1))) this.#oracle.admit(task.id)
    this.#leased.push(...admitted)
    return `admit ${admitted.length}`
  }

  /** Ends a task that was leased at some time, even one that has ended long ago. */
  async #settle(): Promise<string> {
    if (this.#leased.length === 0) return 'nothing to settle'
    const task = this.#pick(this.#leased)
    const state = this.#pick(['succeeded', 'failed', 'expired', 'canceled'] as const)
    const captured = state === 'succeeded' ? this.#between(0, Number(task.priceCredits)) : 0
    if (state === 'succeeded') {
      await this.#pool.query(`update tasks set state = 'collecting' where id = $1 and state = 'submitting'`, [
        uuidOf(task.id),
      ])
    }
    const end: Settlement =
      state === 'succeeded'
        ? { state, captureCredits: BigInt(captured), media: [videoOf(task.id)] }
        : state === 'failed'
          ? { state, reason: 'generation_failed', message: 'It broke.' }
          : { state }
    const won = await settleTask(this.#pool, task, end)
    const isCollecting = await this.#isCollecting(task.id)
    // What is being delivered cannot be canceled any more; everything else ends if it has not ended yet.
    const expected = state === 'canceled' && isCollecting ? false : this.#oracle.end(task.id, state, captured)
    assert.equal(won, expected, `${task.id} to ${state}`)
    return `settle as ${state}: ${won}`
  }

  async #isCollecting(task: TaskId): Promise<boolean> {
    const { rows } = await this.#pool.query(`select from tasks where id = $1 and state = 'collecting'`, [uuidOf(task)])
    return rows.length === 1
  }

  async #cancel(): Promise<string> {
    const [id, known] = this.#pick([...this.#oracle.tasks]) ?? []
    if (id === undefined || known === undefined) return 'nothing to cancel'
    const outcome = await cancelTask(this.#pool, BigInt(known.wallet), id as TaskId)
    if (known.state === 'queued') assert.ok(this.#oracle.end(id, 'canceled', 0))
    const expected =
      known.state === 'canceled' ? 'canceled' : known.state === 'active' ? /requested|too_late/ : 'too_late'
    assert.match(outcome.kind, new RegExp(expected))
    return `cancel: ${outcome.kind}`
  }

  async #expire(): Promise<string> {
    const queued = [...this.#oracle.tasks].filter(([, task]) => task.state === 'queued')
    const late = queued.filter(() => this.#random() < 0.3).map(([id]) => id as TaskId)
    await this.#pool.query('update tasks set deadline_at = now() where id = any ($1)', [late.map(uuidOf)])
    assert.equal((await expireQueued(this.#pool, { limit: 1_000, except: [] })).ended.length, late.length)
    for (const id of late) assert.ok(this.#oracle.end(id, 'expired', 0))
    return `expire ${late.length}`
  }

  #between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item
  }
}

describe('credits', () => {
  let database: TestDatabase

  before(async () => {
    database = await testDatabase()
  })
  after(() => database[Symbol.asyncDispose]())

  it('move as an independent oracle says, whatever the sequence', async (t) => {
    const seed = announceSeed(t)
    for (let number = 0; number < SEQUENCES; number += 1) {
      const history: string[] = []
      const sequence = new Sequence(database.pool, seededRandom(seed + number))
      await sequence.begin()
      try {
        for (let step = 0; step < STEPS; step += 1) history.push(await sequence.step())
      } catch (error) {
        throw new Error(`seed ${seed}, sequence ${number}, after:\n${history.slice(-15).join('\n')}`, { cause: error })
      }
      assert.deepEqual(await findViolations(database.pool), [], `seed ${seed}, sequence ${number}`)
      // The next sequence must not find this one's tasks in the queue.
      await database.pool.query(`update tasks set provider = 'over' where provider = $1`, [PROVIDER])
    }
  })
})
