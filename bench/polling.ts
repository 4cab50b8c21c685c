/**
 * Up to 10,000 jobs under way at an upstream, all watched by one worker. How long after a job is done there is the task done
 * here, its video fetched, checked and stored? What does that cost the upstream in requests, and this process in memory?
 * And does a second provider, which has ceased to answer, hold up the first?
 *
 * Everything is real but the upstream: `reelay serve` with a configuration file, accounts with a plan of 50 tasks at once,
 * HTTP, a durable database. Some of the jobs end during the run, at random moments; the others stay under way.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { PLANS } from '../src/accounts/plans.ts'
import { newId } from '../src/canonical/ids.ts'
import { Cleanup } from '../src/cli/cleanup.ts'
import { selectWallet } from '../src/ledger/queries.ts'
import type { NewTask } from '../src/tasks/new-task.ts'
import { submitTasks } from '../src/tasks/queries.ts'
import { writeTestVideo } from '../test/support/test-video.ts'
import { type BenchDatabase, makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { type Measurement, median, percentile } from './support/measurement.ts'
import { type BackgroundServer, startServer } from './support/run-process.ts'

/** As the vendor's SDK asks, and so the adapter's default. */
const POLL_SECONDS = 5
/** What the target allows beside the interval: one answer, one fetch, two probes, storing, settling. */
const SLACK_SECONDS = 1
const RUN_SECONDS = 90
/** Of the open tasks so many end during the run, so that storing videos is not what is measured. */
const ENDING = 90
/** Tasks that go to the provider that dies, beside as many at the one that does not. */
const BESIDE = 1_000

const VIDEO_SECONDS = 1
const BATCH = 250
const PATIENCE_MS = 180_000

const upstreamState = z.object({
  counts: z.object({ create: z.number(), poll: z.number(), file: z.number() }),
  jobs: z.number(),
  endsAt: z.record(z.string(), z.number()),
  fetchedAt: z.record(z.string(), z.number()),
})
type UpstreamState = z.infer<typeof upstreamState>

export async function benchPolling(): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const open of [100, 1_000, 10_000]) {
    const limit = POLL_SECONDS + SLACK_SECONDS
    const { lags, detail } = await benchOpenTasks(open)
    const p99 = percentile(lags, 0.99)
    measurements.push({
      name: `done there to done here, ${open.toLocaleString('en')} open tasks`,
      value: `${p99.toFixed(2)} s`,
      ...(open === 10_000 ? { target: `≤ ${limit} s`, met: p99 <= limit } : {}),
      detail: `p99 of ${lags.length}, polled every ${POLL_SECONDS} s; p50 ${median(lags).toFixed(2)} s; ${detail}`,
    })
  }
  return [...measurements, await benchBesideDead()]
}

async function benchOpenTasks(open: number): Promise<Run> {
  await using bed = await openBed({ well: open })
  return await observe(bed, 'well', open)
}

/** The same tasks of the same server, before and after the other provider ceases to answer. */
async function benchBesideDead(): Promise<Measurement> {
  await using bed = await openBed({ well: BESIDE, ill: BESIDE })
  const p99Of = async () => percentile((await observe(bed, 'well', BESIDE)).lags, 0.99)
  const before = await p99Of()
  await ask(bed.upstream('ill'), 'hang')
  const after = await p99Of()
  return {
    name: 'the same beside a provider that ceases to answer',
    value: (after / before).toFixed(2),
    target: '≤ 1.25',
    met: after / before <= 1.25,
    detail: `${after.toFixed(2)} s; ${before.toFixed(2)} s while it answered; ${BESIDE.toLocaleString('en')} open tasks at each`,
  }
}

/** A server and its upstreams, with all tasks under way. */
interface Bed extends AsyncDisposable {
  readonly database: BenchDatabase
  readonly server: BackgroundServer
  upstream(name: string): BackgroundServer
}

/** `tasks`: how many are to be under way at each provider. */
async function openBed(tasks: Readonly<Record<string, number>>): Promise<Bed> {
  await using opening = new Cleanup()
  const database = opening.use(await openBenchDatabase())
  const video = await writeTestVideo({ path: join(database.directory, 'made.mp4'), durationSeconds: VIDEO_SECONDS })
  const upstreams = new Map<string, BackgroundServer>()
  for (const name of Object.keys(tasks))
    upstreams.set(name, opening.use(await startServer('./polled-upstream.ts', [video], {})))
  const upstream = (name: string) => {
    const found = upstreams.get(name)
    if (found === undefined) throw new Error(`there is no upstream ${name}`)
    return found
  }
  await queue(database, tasks)
  const server = opening.use(await serve(database, new Map([...upstreams].map(([name, { url }]) => [name, url]))))
  for (const [name, count] of Object.entries(tasks)) await started(upstream(name), count)
  const opened = opening.move()
  return { database, server, upstream, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

interface Run {
  /** Seconds from done there to done here. */
  readonly lags: readonly number[]
  readonly detail: string
}

/** Lets some of the `open` tasks of a provider end. */
async function observe({ database, server, upstream }: Bed, name: string, open: number): Promise<Run> {
  const well = upstream(name)
  // Whatever has just changed has been met by every task before the run: the pace is the steady one.
  await delay(2 * POLL_SECONDS * 1_000)
  const before = await ask(well, 'state')
  const began = performance.now()
  const ending = Math.min(ENDING, open)
  await ask(well, `finish?jobs=${ending}&seconds=${RUN_SECONDS}`)
  await delay(RUN_SECONDS * 1_000)
  const after = await ask(well, 'state')
  const seconds = (performance.now() - began) / 1_000
  const polls = after.counts.poll - before.counts.poll
  const endsAt = Object.fromEntries(Object.entries(after.endsAt).filter(([id]) => before.endsAt[id] === undefined))
  const lags = await lagsOf(database, endsAt)
  const { fetchedAt } = await ask(well, 'state')
  const fetched = Object.entries(endsAt).map(([id, ended]) => ((fetchedAt[id] ?? Number.NaN) - ended) / 1_000)
  // Those that end during the run are under way for half of it.
  const aMinute = (polls / (open - ending / 2) / seconds) * 60
  const news = `fetched after ${median(fetched).toFixed(2)} s, p99 ${percentile(fetched, 0.99).toFixed(2)} s`
  const cost = `${Math.round(polls / seconds)} polls/s, ${aMinute.toFixed(1)} a minute for each task`
  return { lags, detail: `${news}; ${cost}; ${await memoryOf(server.pid)}` }
}

/** Of one process, by the kernel's count. */
async function memoryOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024)
  return `${megabytes('VmRSS')} MB resident, ${megabytes('VmHWM')} MB at most`
}

async function serve(database: BenchDatabase, urls: ReadonlyMap<string, string>): Promise<BackgroundServer> {
  const providers = Object.fromEntries(
    [...urls].map(([name, baseUrl]) => [
      name,
      { kind: 'xai', baseUrl, apiKey: 'env:BENCH_KEY', concurrency: 10_000, pollSeconds: POLL_SECONDS },
    ]),
  )
  const config = join(database.directory, 'reelay.config.json')
  await writeFile(config, JSON.stringify({ providers, models: { '*': { providers: [...urls.keys()] } } }))
  return await startServer('../../src/cli/main.ts', ['serve', '--json'], {
    DATABASE_URL: database.url,
    REELAY_CONFIG: config,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: database.directory,
    REELAY_LOG_LEVEL: 'fatal',
    REELAY_ALLOW_NETS: '127.0.0.0/8',
    BENCH_KEY: 'sk-bench',
  })
}

/** Tasks of so many accounts that their plans let all of them be under way at once. */
async function queue(database: BenchDatabase, tasks: Readonly<Record<string, number>>): Promise<void> {
  for (const [provider, count] of Object.entries(tasks)) {
    const accounts = await makeAccounts(database.pool, Math.ceil(count / PLANS.enterprise.concurrentTasks))
    const wallets: bigint[] = []
    for (const { account } of accounts) wallets.push((await selectWallet(database.pool, account.id, 'live')) ?? 0n)
    for (let done = 0; done < count; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, count - done) }, (_, index) =>
        taskFor(provider, wallets[(done + index) % wallets.length] ?? 0n),
      )
      await submitTasks(database.pool, batch)
    }
  }
}

async function ask({ url }: BackgroundServer, command: string): Promise<UpstreamState> {
  return upstreamState.parse(await (await fetch(`${url}/bench/${command}`)).json())
}

async function started(upstream: BackgroundServer, jobs: number): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while ((await ask(upstream, 'state')).jobs < jobs) {
    if (performance.now() > giveUpAt) throw new Error(`void: there are not ${jobs} jobs`)
    await delay(100)
  }
}

/** Waits until every task whose job has ended has succeeded. */
async function lagsOf(database: BenchDatabase, endsAt: Readonly<Record<string, number>>): Promise<number[]> {
  const jobs = Object.keys(endsAt)
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const { rows } = await database.pool.query<{ job: string; finished: number }>(
      `select a.operation ->> 'id' as job, (extract(epoch from t.finished_at) * 1000)::float8 as finished
       from attempts a join tasks t on t.id = a.task_id
       where t.state = 'succeeded' and a.operation ->> 'id' = any ($1)`,
      [jobs],
    )
    if (rows.length === jobs.length) return rows.map(({ job, finished }) => (finished - (endsAt[job] ?? 0)) / 1_000)
    if (performance.now() > giveUpAt) throw new Error(`void: only ${rows.length} of ${jobs.length} tasks succeeded`)
    await delay(200)
  }
}

function taskFor(provider: string, wallet: bigint): NewTask {
  const request = {
    model: 'grok-imagine-video',
    operation: 'generate',
    references: [],
    prompt: 'A cinematic product reveal with smooth camera movement',
    mode: 'normal',
    durationSeconds: VIDEO_SECONDS,
    resolution: '480p',
    aspectRatio: '2:3',
    seed: 1,
  } as const
  const none = { clientRequestId: undefined, idempotency: undefined, callbackUrl: undefined, uploadUrl: undefined }
  const about = { dialect: 'rivya', traceId: newId('req'), model: request.model, provider, priceCredits: 10n }
  return { id: newId('task'), wallet, request, body: {}, ...none, ...about }
}
