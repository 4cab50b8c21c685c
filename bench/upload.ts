/**
 * Uploads over HTTP, received, examined, hashed and stored durably, against streaming the same bytes to the disk with
 * plain `fs` and syncing them. Every upload has other bytes: equal ones are stored once.
 */

import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { writeTestVideo } from '../test/support/test-video.ts'
import { type BenchDatabase, makeAccounts, openBenchDatabase } from './support/bench-database.ts'
import { type Measurement, median, ratio } from './support/measurement.ts'
import { startServer } from './support/run-process.ts'

const ROUNDS = 7
/** Just below what a video may have. */
const MEGABYTES = 48
const MEGABYTE = 1024 ** 2
/** Three passes over the bytes, each of which hashes or syncs, are what receiving, examining and storing take. */
const TARGET = 0.25

export async function benchUpload(): Promise<Measurement[]> {
  await using database = await openBenchDatabase()
  const [made] = await makeAccounts(database.pool, 1)
  if (made === undefined) throw new Error('no account')
  await using server = await startServer('../../src/cli/main.ts', ['serve', '--json', '--role', 'api'], {
    DATABASE_URL: database.url,
    REELAY_PORT: '0',
    REELAY_DATA_DIR: database.directory,
    REELAY_STORE: pathToFileURL(join(database.directory, 'media')).href,
    REELAY_LOG_LEVEL: 'warn',
  })
  const video = await readFile(await writeTestVideo({ path: join(database.directory, 'small.mp4') }))
  const [ours, theirs]: [number[], number[]] = [[], []]
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    const bytes = padded(video)
    const plain = await timePlain(database, bytes)
    const uploaded = await timeUpload(server.url, made.liveKey, bytes)
    if (round === 0) continue
    theirs.push((MEGABYTES * 1000) / plain)
    ours.push((MEGABYTES * 1000) / uploaded)
  }
  const value = median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)))
  const detail = `${Math.round(median(ours))} MB/s; ${Math.round(median(theirs))} MB/s from file to file, synced`
  return [ratio(`uploads of ${MEGABYTES} MB`, value, { target: TARGET, detail })]
}

/** The video with a box of random bytes behind it, which players skip. */
function padded(video: Buffer): Buffer {
  const length = MEGABYTES * MEGABYTE - video.length
  const header = Buffer.alloc(8)
  header.writeUInt32BE(length)
  header.write('free', 4, 'latin1')
  return Buffer.concat([video, header, randomBytes(length - header.length)])
}

async function timePlain({ directory }: BenchDatabase, bytes: Buffer): Promise<number> {
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  await writeFile(source, bytes)
  const began = performance.now()
  await pipeline(createReadStream(source), createWriteStream(target))
  const file = await open(target, 'r+')
  await file.sync()
  await file.close()
  const took = performance.now() - began
  await rm(target)
  return took
}

async function timeUpload(url: string, key: string, bytes: Buffer): Promise<number> {
  const body = new FormData()
  body.append('kind', 'video')
  body.append('file', new Blob([new Uint8Array(bytes)], { type: 'video/mp4' }), 'clip.mp4')
  const began = performance.now()
  const answer = await fetch(`${url}/api/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body,
  })
  const text = await answer.text()
  const took = performance.now() - began
  if (!answer.ok) throw new Error(`void: ${answer.status} ${text}`)
  return took
}
