/** A signed link, with its checks and headers, against a bare server that streams the same file. */

import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { uuidOf } from '../src/canonical/ids.ts'
import { selectWallet } from '../src/ledger/queries.ts'
import { DiskStore } from '../src/media/disk-store.ts'
import { makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { drain } from './support/drain.ts'
import { finishedTask } from './support/finished-task.ts'
import { type Measurement, median, ratio } from './support/measurement.ts'
import { startServer } from './support/run-process.ts'

const ROUNDS = 5
/** As long as a second or two: what an answer costs before its first byte is measured by the reads. */
const MEGABYTES = 512
const MEGABYTE = 1024 ** 2

export async function benchDownload(): Promise<Measurement[]> {
  await using database = await openBenchDatabase()
  const [made] = await makeAccounts(database.pool, 1)
  if (made === undefined) throw new Error('no account')
  const wallet = (await selectWallet(database.pool, made.account.id, 'live')) ?? 0n
  const task = await finishedTask(database.pool, wallet)
  const media = join(database.directory, 'media')
  const source = join(database.directory, 'source')
  await writeRandom(source)
  const stored = await (await DiskStore.open(media)).put('aa/bench/video.mp4', source)
  await database.pool.query(
    `update media set store_key = 'aa/bench/video.mp4', size_bytes = $2, sha256 = $3 where task_id = $1 and kind = 'video'`,
    [uuidOf(task), stored.sizeBytes, stored.sha256],
  )
  await using bare = await startServer('./bare-static-server.ts', [source], {})
  await using server = await startServer('../../src/cli/main.ts', ['serve', '--json', '--role', 'api'], {
    DATABASE_URL: database.url,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: database.directory,
    REELAY_STORE: pathToFileURL(join(database.directory, 'media')).href,
    REELAY_LOG_LEVEL: 'warn',
  })
  const answer = await fetch(`${server.url}/api/v1/generations/${task}`, {
    headers: { authorization: `Bearer ${made.liveKey}` },
  })
  const link = /"primary_url":"([^"]+)"/.exec(await answer.text())?.[1] ?? ''
  await speedOf(bare.url)
  await speedOf(link)
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(await speedOf(bare.url))
    ours.push(await speedOf(link))
  }
  const value = median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)))
  const detail = `${Math.round(median(ours))} MB/s; ${Math.round(median(theirs))} MB/s from the bare server`
  return [ratio('downloads by a signed link', value, { target: 0.8, detail })]
}

async function writeRandom(path: string): Promise<void> {
  const file = await open(path, 'w')
  const chunk = randomBytes(MEGABYTE)
  for (let count = 0; count < MEGABYTES; count++) await file.write(chunk)
  await file.close()
}

/** In MB/s. */
async function speedOf(url: string): Promise<number> {
  const began = performance.now()
  const received = await drain(url)
  if (received < MEGABYTES * MEGABYTE) throw new Error(`void: ${received} bytes`)
  return (MEGABYTES * 1000) / (performance.now() - began)
}
