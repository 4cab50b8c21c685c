import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import { LogDestination } from './log-destination.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reelay-log-'))
})
after(() => rm(folder, { recursive: true }))

const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(0, -1)

test('writes each line once and whole, however many come at once', async () => {
  const path = join(folder, 'order')
  const fd = openSync(path, 'w')
  const destination = new LogDestination(fd)
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'é'.repeat(index % 50)}`)
  for (const [index, line] of lines.entries()) {
    destination.write(`${line}\n`)
    // As at a fatal line.
    if (index === 10_000) destination.flushSync()
  }
  await waitFor('the last line', async () => (await linesOf(path)).length >= lines.length || undefined)
  assert.deepEqual((await linesOf(path)).sort(), lines.sort())
  closeSync(fd)
})

test('keeps lines up to a bound while they cannot be written, and says how many were lost beyond it', async () => {
  const path = join(folder, 'bound')
  // Opened for reading: a write is refused until the descriptor becomes another.
  await rm(path, { force: true })
  closeSync(openSync(path, 'w'))
  const fd = openSync(path, 'r')
  const destination = new LogDestination(fd, { maxWaitingCharacters: 100 })
  for (let line = 0; line < 30; line++) destination.write(`line ${String(line).padStart(4)}\n`)
  destination.flushSync()
  closeSync(fd)
  assert.equal(openSync(path, 'w'), fd, 'the lowest free descriptor')
  const lines = await waitFor('what was kept', async () => {
    const found = await linesOf(path)
    return found.some((line) => line.includes('lost')) ? found : undefined
  })
  const told = lines.find((line) => line.includes('lost')) ?? ''
  assert.equal(JSON.parse(told).lines, 30 - (lines.length - 1))
  assert.deepEqual(lines.slice(0, 3), ['line    0', 'line    1', 'line    2'])
  closeSync(fd)
})

const fullDisk = { skip: process.platform === 'linux' ? false : 'there is no /dev/full' }

test('a process whose log is full logs on, also what is fatal, and ends as it wants to', fullDisk, () => {
  const program = `
    const { createLogger } = await import('${new URL('./logger.ts', import.meta.url)}')
    const log = createLogger('info')
    for (let line = 0; line < 100; line++) log.info('a line')
    log.fatal('the last line')
    setImmediate(() => process.exit(7))`
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', program]
  const full = openSync('/dev/full', 'w')
  const ended = () => execFileSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], timeout: 60_000 })
  assert.throws(ended, (error) => error instanceof Error && 'status' in error && error.status === 7)
  closeSync(full)
})
