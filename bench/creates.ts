/**
 * Durable creates over HTTP, against the same statement sent one by one by 32 `pg` clients. Both write to the same
 * database with fsync on; rounds alternate, so that a machine that slows down slows both.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { newId } from '../src/canonical/ids.ts'
import { selectWallet } from '../src/ledger/queries.ts'
import type { NewTask } from '../src/tasks/new-task.ts'
import { submitTasks } from '../src/tasks/queries.ts'
import { type BenchDatabase, makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { type Measurement, median, ratio } from './support/measurement.ts'
import { type LoadPlan, runLoad, startServer } from './support/run-process.ts'

const ROUNDS = 3
const SECONDS = 4
const ACCOUNTS = 64
const BASELINE_CLIENTS = 32

const BODY = {
  model: 'grok-imagine-video',
  prompt: 'A cinematic product reveal with smooth camera movement',
  params: { mode: 'normal', duration: 6, resolution: '480p', aspect_ratio: '2:3' },
}

export async function benchCreates(): Promise<Measurement[]> {
  await using database = await openBenchDatabase()
  const accounts = await makeAccounts(database.pool, ACCOUNTS)
  const wallets: bigint[] = []
  for (const { account } of accounts) wallets.push((await selectWallet(database.pool, account.id, 'live')) ?? 0n)
  await using server = await startServer('../../src/cli/main.ts', ['serve', '--json', '--role', 'api'], {
    DATABASE_URL: database.url,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: database.directory,
    REELAY_STORE: pathToFileURL(join(database.directory, 'media')).href,
    REELAY_LOG_LEVEL: 'warn',
  })
  const keys = accounts.map((each) => each.liveKey)
  const plan = (connections: number, using: readonly string[]): LoadPlan => ({
    url: server.url,
    connections,
    seconds: SECONDS,
    requests: using.map((key) => ({
      method: 'POST',
      path: '/api/v1/generations',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(BODY),
    })),
  })
  const compare = async (name: string, about: { connections: number; accounts: number; target: number }) => {
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      theirs.push(await oneByOne(database, wallets.slice(0, about.accounts)))
      ours.push((await runLoad(plan(about.connections, keys.slice(0, about.accounts)))).perSecond)
    }
    const ratios = ours.map((each, round) => each / (theirs[round] ?? Number.NaN))
    const detail = `${Math.round(median(ours))}/s over HTTP; ${Math.round(median(theirs))}/s one by one`
    return ratio(name, median(ratios), { target: about.target, detail })
  }
  await runLoad({ ...plan(32, keys), seconds: 2 })
  return [
    await compare('creates, 64 accounts, 32 connections', { connections: 32, accounts: 64, target: 1.5 }),
    await compare('creates, 64 accounts, 128 connections', { connections: 128, accounts: 64, target: 2.5 }),
    await compare('creates, one account, 128 connections', { connections: 128, accounts: 1, target: 5 }),
  ]
}

/** The very statement of the server, with one task in it, from 32 clients at once. Returns creates a second. */
async function oneByOne(database: BenchDatabase, wallets: readonly bigint[]): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: BASELINE_CLIENTS }, async () => {
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      return client
    }),
  )
  const started = performance.now()
  let created = 0
  await Promise.all(
    clients.map(async (client, index) => {
      for (let next = index; performance.now() - started < SECONDS * 1000; next++) {
        const [row] = await submitTasks(client, [taskFor(wallets[next % wallets.length] ?? 0n)])
        if (row?.outcome !== 'created') throw new Error(`void: ${row?.outcome}`)
        created++
      }
    }),
  )
  const seconds = (performance.now() - started) / 1000
  await Promise.all(clients.map((client) => client.end()))
  return created / seconds
}

function taskFor(wallet: bigint): NewTask {
  return {
    id: newId('task'),
    wallet,
    dialect: 'rivya',
    model: BODY.model,
    request: {
      model: BODY.model,
      operation: 'generate',
      references: [],
      prompt: BODY.prompt,
      mode: 'normal',
      durationSeconds: 6,
      resolution: '480p',
      aspectRatio: '2:3',
      seed: 1,
    },
    body: BODY,
    clientRequestId: undefined,
    traceId: newId('req'),
    callbackUrl: undefined,
    uploadUrl: undefined,
    priceCredits: 10n,
    provider: 'animatic',
    idempotency: undefined,
  }
}
