/**
 * What the tests of tasks and money work with: a database of their own, accounts with credits, and real workers whose
 * providers are scripted. Closing a workshop first proves that the ledger is whole: every test ends with it.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type pg from 'pg'
import { type Logger, pino } from 'pino'
import type { PlanName } from '../../src/accounts/plans.ts'
import { insertAccount } from '../../src/accounts/queries.ts'
import { type AccountId, newId, type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import type { Task } from '../../src/canonical/task.ts'
import { isTerminal } from '../../src/canonical/task-state.ts'
import type { WalletMode } from '../../src/canonical/wallet-mode.ts'
import { grant } from '../../src/ledger/grant.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { type Balance, insertWallets, selectBalance, selectWallet, type WalletId } from '../../src/ledger/queries.ts'
import { DiskStore } from '../../src/media/disk-store.ts'
import { ingestVideo } from '../../src/media/ingest.ts'
import { Posters } from '../../src/media/posters.ts'
import { signingKey } from '../../src/media/signing-key.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { AcceptedJournal } from '../../src/tasks/accepted-journal.ts'
import { DEFAULT_DEADLINES } from '../../src/tasks/deadlines.ts'
import type { AttemptState } from '../../src/tasks/lease-queries.ts'
import type { NewTask } from '../../src/tasks/new-task.ts'
import { type ProviderPlan, ProviderSet, planOf } from '../../src/tasks/provider-set.ts'
import { selectTask } from '../../src/tasks/queries.ts'
import type { IngestVideo } from '../../src/tasks/step-context.ts'
import { Submitter } from '../../src/tasks/submit.ts'
import { Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import { testDatabase } from '../support/database.ts'
import { type Seen, waitFor } from '../support/patience.ts'
import { writeTestVideo } from '../support/test-video.ts'

/** Waits until a condition of the database or of a stand-in of this process holds: a look costs a millisecond. */
export function until<Found>(
  what: string,
  look: (seen: Seen) => Promise<Found | undefined | false> | Found | undefined | false,
): Promise<Found> {
  return waitFor(what, look, { lookEveryMs: 5 })
}

export interface AttemptRow {
  readonly number: number
  readonly state: AttemptState
  readonly error: string | null
}

export interface Workshop extends AsyncDisposable {
  readonly pool: pg.Pool
  readonly databaseUrl: string
  readonly submitter: Submitter
  readonly store: DiskStore
  /** What workers wrote to the log, as text. */
  readonly logged: string[]
  /** A whole video of 1 s. */
  readonly videoPath: string
  /** For files of the test's own. */
  readonly folder: string
  /** Stores videos as the platform does. */
  readonly ingest: IngestVideo
  account(options?: { plan?: PlanName; credits?: bigint; mode?: WalletMode }): Promise<WalletId>
  /** A worker that has been started; it is stopped with the workshop, if not before. */
  worker(
    plan: Provider | ProviderPlan | ProviderSet,
    options?: { id?: string; ingest?: IngestVideo; pool?: pg.Pool; deliveries?: WorkerOptions['deliveries'] },
  ): Promise<Worker>
  stop(worker: Worker): Promise<void>
  /** Creates a task, which must be possible. */
  create(wallet: WalletId, prompt: string, change?: Partial<NewTask>): Promise<TaskId>
  read(wallet: WalletId, id: TaskId): Promise<Task>
  attempts(id: TaskId): Promise<AttemptRow[]>
  balance(wallet: WalletId): Promise<Balance>
  /** Waits for the end of a task. */
  ended(wallet: WalletId, id: TaskId): Promise<Task>
  /** Lets a task's lease run out now, as if its worker had been silent for long enough. */
  endLease(id: TaskId): Promise<void>
  /** Lets a task's next step be due now, as if its pause were over; a step that is under way is left alone. */
  hurry(id: TaskId): Promise<void>
  /** Lets a task's deadline pass now: one look is left to it. */
  endTime(id: TaskId): Promise<void>
  /** The same, and the time in which a provider that does not answer is asked after the deadline. */
  endGrace(id: TaskId): Promise<void>
}

export function newTask(wallet: WalletId, prompt: string, change: Partial<NewTask> = {}): NewTask {
  return {
    id: newId('task'),
    wallet,
    dialect: 'test',
    model: 'test-model',
    request: {
      model: 'test-model',
      operation: 'generate',
      references: [],
      prompt,
      durationSeconds: 1,
      resolution: '480p',
      aspectRatio: '16:9',
      mode: 'normal',
      seed: 7,
    },
    body: { prompt },
    clientRequestId: undefined,
    traceId: newId('req'),
    callbackUrl: undefined,
    uploadUrl: undefined,
    priceCredits: 10n,
    provider: 'scripted',
    idempotency: undefined,
    ...change,
  }
}

/** An account with one wallet's credits, in a database that has nothing but the migrations. */
export async function openAccount(
  pool: pg.Pool,
  {
    plan = 'enterprise',
    credits = 1_000n,
    mode = 'live',
  }: { plan?: PlanName; credits?: bigint; mode?: WalletMode } = {},
): Promise<WalletId> {
  const id: AccountId = newId('acct')
  await insertAccount(pool, { id, name: 'test', plan, spicyAllowed: false })
  await insertWallets(pool, id)
  const wallet = await selectWallet(pool, id, mode)
  assert.ok(wallet !== undefined)
  if (credits > 0n) await grant(pool, wallet, credits)
  return wallet
}

export async function openWorkshop(): Promise<Workshop> {
  const database = await testDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'reelay-workshop-'))
  const scratch = join(folder, 'scratch')
  await mkdir(scratch)
  const store = await DiskStore.open(join(folder, 'store'))
  const videoPath = await writeTestVideo({ path: join(folder, 'made.mp4'), durationSeconds: 1 })
  const posters = new Posters()
  const { pool } = database
  const logged: string[] = []
  const log: Logger = pino({ level: 'trace' }, { write: (line) => void logged.push(line) })
  const ingest: IngestVideo = (video) =>
    ingestVideo({ ...video, store, signingKey: signingKey(randomBytes(32)), posters, log, scratch })
  const workers = new Set<Worker>()
  const submitter = new Submitter(pool)
  const workshop: Workshop = {
    pool,
    databaseUrl: database.url,
    submitter,
    store,
    logged,
    videoPath,
    folder,
    ingest,

    account: (options) => openAccount(pool, options),

    async worker(plan, options = {}) {
      const id = options.id ?? `worker-${randomBytes(4).toString('hex')}`
      const worker = new Worker({
        id,
        pool: options.pool ?? pool,
        providers: plan instanceof ProviderSet ? plan : new ProviderSet('routes' in plan ? plan : planOf([plan])),
        deadlines: () => DEFAULT_DEADLINES,
        downloads: scratch,
        ingest: options.ingest ?? ingest,
        store,
        journal: new AcceptedJournal(join(folder, 'journal', id)),
        cutAfterMs: 0,
        log,
        ...(options.deliveries === undefined ? {} : { deliveries: options.deliveries }),
      })
      await worker.start()
      workers.add(worker)
      return worker
    },

    async stop(worker) {
      workers.delete(worker)
      await worker.stop()
    },

    async create(wallet, prompt, change) {
      const outcome = await submitter.submit(newTask(wallet, prompt, change))
      if (outcome.kind !== 'created') throw new assert.AssertionError({ message: `${prompt} was ${outcome.kind}` })
      return outcome.id
    },

    async read(wallet, id) {
      const task = await selectTask(pool, wallet, id)
      assert.ok(task, `${id} is gone`)
      return task
    },

    async attempts(id) {
      const { rows } = await pool.query<AttemptRow>(
        'select number, state, error from attempts where task_id = $1 order by number',
        [uuidOf(id)],
      )
      return rows
    },

    async balance(wallet) {
      const balance = await selectBalance(pool, wallet)
      assert.ok(balance)
      return balance
    },

    ended: (wallet, id) =>
      until(`${id} has ended`, async (seen) => {
        const task = await selectTask(pool, wallet, id)
        seen(task?.state, task?.progress)
        return task !== undefined && isTerminal(task.state) && task
      }),

    async endLease(id) {
      await pool.query('update tasks set lease_until = now(), due_at = now() where id = $1', [uuidOf(id)])
    },

    async hurry(id) {
      await pool.query('update tasks set due_at = now() where id = $1 and due_at is distinct from lease_until', [
        uuidOf(id),
      ])
    },

    async endTime(id) {
      await pool.query(
        `update tasks set deadline_at = now(), due_at = case when due_at = lease_until then due_at else now() end
         where id = $1`,
        [uuidOf(id)],
      )
    },

    async endGrace(id) {
      await pool.query(
        `update tasks set deadline_at = now() - make_interval(secs => $2),
           due_at = case when due_at = lease_until then due_at else now() end
         where id = $1`,
        [uuidOf(id), DEFAULT_DEADLINES.uncertainSeconds],
      )
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...workers].map((worker) => worker.stop()))
      const violations = await findViolations(pool)
      await posters[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
      assert.deepEqual(violations, [], 'the ledger is whole')
    },
  }
  return workshop
}

/** A seeded random number generator (mulberry32): 0 ≤ x < 1. The same seed gives the same schedule. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Chooses the seed of this run, or takes `REELAY_TEST_SEED` to replay one that failed, and says it in the report. */
export function announceSeed(t: TestContext): number {
  const given = process.env['REELAY_TEST_SEED']
  const seed = given === undefined ? randomBytes(4).readUInt32BE() : Number(given)
  t.diagnostic(`REELAY_TEST_SEED=${seed}`)
  return seed
}
