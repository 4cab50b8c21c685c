/**
 * 10,000 tasks in the queue of 64 accounts, and a worker that drains them through a stand-in provider with 8 slots whose
 * jobs take 50 ms. How long does the task of an account that had none wait from its creation to its start, how busy are
 * the slots kept, and what does the worker's memory do? With eight slots of 50 ms one is free every 6 ms.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { ASPECT_RATIOS, RESOLUTIONS } from '../src/canonical/generation.ts'
import { newId, uuidOf } from '../src/canonical/ids.ts'
import { Notifications } from '../src/db/notifications.ts'
import { selectWallet } from '../src/ledger/queries.ts'
import { Cadence } from '../src/observe/cadence.ts'
import type { Provider } from '../src/providers/provider.ts'
import { AcceptedJobs } from '../src/tasks/accepted-jobs.ts'
import { AcceptedJournal } from '../src/tasks/accepted-journal.ts'
import { DEFAULT_DEADLINES } from '../src/tasks/deadlines.ts'
import type { NewTask } from '../src/tasks/new-task.ts'
import { ProviderSet, planOf } from '../src/tasks/provider-set.ts'
import { submitTasks } from '../src/tasks/queries.ts'
import { Room } from '../src/tasks/room.ts'
import { UNCOUNTED } from '../src/tasks/step-context.ts'
import { QUEUE_CHANNEL, Waker } from '../src/tasks/wake.ts'
import { Lane } from '../src/worker/lane.ts'
import { type BenchDatabase, makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { type Measurement, median, percentile } from './support/measurement.ts'

const QUEUED = 10_000
const ACCOUNTS = 64
const NEWCOMERS = 40
const JOB_MS = 50
const SLOTS = 8

const STAND_IN: Provider = {
  id: 'stand-in',
  abilities: {
    durationSeconds: { min: 1, max: 30 },
    resolutions: RESOLUTIONS,
    aspectRatios: ASPECT_RATIOS,
    operations: ['generate'],
    roles: [],
  },
  startIsIdempotent: true,
  concurrency: SLOTS,
  affinity: 'any',
  sourceType: 'algorithmicMedia',
  pollEveryMs: JOB_MS,
  start: async (_request, { token }) => ({ kind: 'accepted', operation: { token } }),
  poll: async () => ({ kind: 'failed', failure: { reason: 'generation_failed', message: 'the stand-in is done' } }),
}

export async function benchQueue(): Promise<Measurement[]> {
  await using database = await openBenchDatabase()
  const accounts = await makeAccounts(database.pool, ACCOUNTS + NEWCOMERS)
  const wallets: bigint[] = []
  for (const { account } of accounts) wallets.push((await selectWallet(database.pool, account.id, 'live')) ?? 0n)
  const newcomers = wallets.splice(ACCOUNTS)
  for (let done = 0; done < QUEUED; done += 250) {
    const batch = Array.from({ length: 250 }, (_, index) => taskFor(wallets[(done + index) % ACCOUNTS] ?? 0n))
    await submitTasks(database.pool, batch)
  }
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const stop = new AbortController()
  const providers = new ProviderSet(planOf([STAND_IN]))
  const [active] = providers.all
  if (active === undefined) throw new Error('there is no provider')
  const log = pino({ level: 'fatal' })
  const journalFolder = await mkdtemp(join(tmpdir(), 'reelay-bench-'))
  await using journal = new AcceptedJournal(journalFolder)
  const lane = new Lane(
    {
      db: database.pool,
      accepted: new AcceptedJobs(journal, log),
      starting: new Room(Number.POSITIVE_INFINITY),
      router: () => providers.router,
      deadlines: DEFAULT_DEADLINES,
      downloads: '',
      ingest: () => Promise.reject(new Error('the stand-in makes no video')),
      openReference: () => Promise.reject(new Error('the requests have no references')),
      discardIngested: async () => {},
      onEnded: () => {},
      onRequeued: () => {},
      storage: { fault: undefined, suspect: () => {} },
      counters: UNCOUNTED,
      cadence: new Cadence(),
      log,
      signal: stop.signal,
      stopping: stop.signal,
      random: Math.random,
    },
    { active, worker: 'bench' },
  )
  await using notifications = new Notifications({
    config: { connectionString: database.url },
    handlers: { [QUEUE_CHANNEL]: () => lane.wake() },
    onConnected: async () => {},
    onError: () => {},
  })
  await notifications.open()
  const running = lane.run()
  const began = performance.now()
  const lags = await newcomerLags(database, newcomers)
  const drained = await endedTasks(database)
  const seconds = (performance.now() - began) / 1000
  stop.abort()
  await running
  await rm(journalFolder, { recursive: true })
  const megabytes = (process.memoryUsage().rss - before) / 1024 ** 2
  const p99 = percentile(lags, 0.99)
  return [
    {
      name: `start lag of a newcomer behind ${QUEUED.toLocaleString('en')} queued tasks`,
      value: `${Math.round(median(lags))} ms`,
      detail: `p50; p99 ${Math.round(p99)} ms; ${drained} of the queued tasks ended meanwhile`,
    },
    {
      name: 'slots kept busy',
      value: `${Math.round((100 * drained * JOB_MS) / 1000 / seconds / SLOTS)} %`,
      detail: `${Math.round(drained / seconds)} tasks/s through ${SLOTS} slots of ${JOB_MS} ms`,
    },
    {
      name: `memory of the worker at ${QUEUED.toLocaleString('en')} queued tasks`,
      value: `+${megabytes.toFixed(0)} MB`,
      detail: `resident, over ${(before / 1024 ** 2).toFixed(0)} MB before it began`,
    },
  ]
}

async function newcomerLags(database: BenchDatabase, wallets: readonly bigint[]): Promise<number[]> {
  const waker = new Waker(database.pool, () => {})
  const lags: number[] = []
  for (const wallet of wallets) {
    const task = taskFor(wallet)
    await submitTasks(database.pool, [task])
    waker.wake()
    lags.push(await lagOf(database, task))
  }
  return lags
}

async function lagOf(database: BenchDatabase, task: NewTask): Promise<number> {
  for (;;) {
    const { rows } = await database.pool.query<{ lag: number | null }>(
      'select extract(epoch from started_at - created_at)::float8 * 1000 as lag from tasks where id = $1',
      [uuidOf(task.id)],
    )
    const lag = rows[0]?.lag
    if (typeof lag === 'number') return lag
    await delay(2)
  }
}

async function endedTasks(database: BenchDatabase): Promise<number> {
  const { rows } = await database.pool.query<{ ended: number }>(
    `select count(*)::integer as ended from tasks where state = 'failed'`,
  )
  return rows[0]?.ended ?? 0
}

function taskFor(wallet: bigint): NewTask {
  const request = {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'A cinematic product reveal with smooth camera movement',
    mode: 'normal',
    durationSeconds: 6,
    resolution: '480p',
    aspectRatio: '2:3',
    seed: 1,
  } as const
  const none = { clientRequestId: undefined, idempotency: undefined, callbackUrl: undefined, uploadUrl: undefined }
  const about = {
    dialect: 'rivya',
    traceId: newId('req'),
    model: request.model,
    provider: STAND_IN.id,
    priceCredits: 10n,
  }
  return { id: newId('task'), wallet, request, body: {}, ...none, ...about }
}
