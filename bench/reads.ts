/** Status reads a second, with key check, signed link and all, against a bare route with the same select. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { selectWallet } from '../src/ledger/queries.ts'
import { makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { finishedTask } from './support/finished-task.ts'
import { type Measurement, median, ratio } from './support/measurement.ts'
import { runLoad, startServer } from './support/run-process.ts'

const ROUNDS = 3
const SECONDS = 3
const CONNECTIONS = 32
const TASKS = 256

export async function benchReads(): Promise<Measurement[]> {
  await using database = await openBenchDatabase()
  const [made] = await makeAccounts(database.pool, 1)
  if (made === undefined) throw new Error('no account')
  const wallet = (await selectWallet(database.pool, made.account.id, 'live')) ?? 0n
  const paths: string[] = []
  for (let index = 0; index < TASKS; index++) {
    paths.push(`/api/v1/generations/${await finishedTask(database.pool, wallet)}`)
  }
  const environment = { DATABASE_URL: database.url }
  await using bare = await startServer('./bare-read-server.ts', [wallet.toString()], environment)
  await using server = await startServer('../../src/cli/main.ts', ['serve', '--json', '--role', 'api'], {
    ...environment,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: database.directory,
    REELAY_STORE: pathToFileURL(join(database.directory, 'media')).href,
    REELAY_LOG_LEVEL: 'warn',
  })
  const headers = { authorization: `Bearer ${made.liveKey}` }
  const requests = paths.map((path) => ({ method: 'GET' as const, path, headers }))
  const read = async (url: string) =>
    (await runLoad({ url, connections: CONNECTIONS, seconds: SECONDS, requests })).perSecond
  await read(bare.url)
  await read(server.url)
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(await read(bare.url))
    ours.push(await read(server.url))
  }
  const value = median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)))
  const detail = `${Math.round(median(ours))}/s; ${Math.round(median(theirs))}/s on the bare route`
  return [ratio(`status reads, ${CONNECTIONS} connections`, value, { target: 0.7, detail })]
}
