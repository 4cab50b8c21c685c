/** Seconds from starting the process to `/readyz` saying yes: on an empty directory, and on one that has data. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Measurement, median } from './support/measurement.ts'
import { startServer } from './support/run-process.ts'

const LATER_STARTS = 3

export async function benchStartup(): Promise<Measurement[]> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-bench-'))
  try {
    const first = await secondsToReady(directory)
    const later: number[] = []
    for (let index = 0; index < LATER_STARTS; index++) later.push(await secondsToReady(directory))
    return [
      { name: 'start to ready, first', value: `${first.toFixed(1)} s`, detail: 'creates the database and migrates it' },
      { name: 'start to ready, later', value: `${median(later).toFixed(1)} s`, detail: `median of ${LATER_STARTS}` },
    ]
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function secondsToReady(directory: string): Promise<number> {
  const started = performance.now()
  await using server = await startServer('../../src/cli/main.ts', ['serve', '--json'], {
    REELAY_PORT: '0',
    REELAY_DATA_DIR: directory,
    REELAY_LOG_LEVEL: 'warn',
  })
  while (!(await fetch(`${server.url}/readyz`)).ok) await delay(10)
  return (performance.now() - started) / 1000
}
