import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { eventually, processesIn, startProcess, temporaryDirectory } from './embedded-process.ts'

test('adopts a database whose process was killed, and stops it at the end', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const first = startProcess(directory)
  const { pid } = await first.opened
  await first.kill()
  {
    await using postgres = await openEmbeddedPostgres({ directory })
    assert.equal(postgres.adopted, true)
    assert.equal(postgres.pid, pid)
  }
  assert.deepEqual(await processesIn(directory), [])
})

test('loses no acknowledged row, tells its user, and is joined again by all, when the postmaster is killed', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const other = startProcess(directory)
  const { pid, url } = await other.opened
  const told = once(other.child, 'message')

  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('create table rows (n int primary key)')
  let acknowledged = 0
  const writing = (async () => {
    for (;;) {
      await client.query('insert into rows values ($1)', [acknowledged + 1])
      acknowledged += 1
    }
  })()
  await eventually(async () => acknowledged >= 50)
  process.kill(pid, 'SIGKILL')
  await assert.rejects(writing)
  assert.match(JSON.stringify(await told), /broke off\. Its log is/)
  await once(other.child, 'message', { signal: AbortSignal.timeout(60_000) })

  // The killed postmaster's parent is still there, and so may the zombie be.
  await using postgres = await openEmbeddedPostgres({ directory })
  assert.notEqual(postgres.pid, pid)
  const reader = new pg.Client({ connectionString: postgres.connectionString })
  await reader.connect()
  const { rows } = await reader.query<{ n: number }>('select n from rows order by n')
  await reader.end()
  assert.deepEqual(
    rows.slice(0, acknowledged).map((row) => row.n),
    Array.from({ length: acknowledged }, (_, index) => index + 1),
  )
  await other.leave()
})

/** What a postmaster whose number is now somebody else's left behind. */
async function leaveLockFiles(directory: string, pid: number): Promise<void> {
  const cluster = join(directory, 'cluster')
  const socket = join(directory, 'socket')
  const lines = `${pid}\n${cluster}\n1700000000\n5432\n${socket}\n`
  await writeFile(join(cluster, 'postmaster.pid'), `${lines}\n\nready   \n`)
  await writeFile(join(socket, '.s.PGSQL.5432.lock'), lines)
}

test('is not stopped by a lock file whose number now belongs to another program, to a zombie, or to nobody', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  await (await openEmbeddedPostgres({ directory, durable: 'no' }))[Symbol.asyncDispose]()

  // A shell starts a program, says its number, and turns into another program, which never asks after its children.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const [line] = await once(parent.stdout, 'data')
    const zombie = Number(String(line))
    await eventually(async () => (await readFile(`/proc/${parent.pid}/comm`, 'utf8')) === 'sleep\n')
    process.kill(zombie, 'SIGKILL')
    await eventually(async () => (await readFile(`/proc/${zombie}/stat`, 'utf8')).includes(') Z '))
    for (const pid of [process.pid, zombie, 2 ** 30]) {
      await leaveLockFiles(directory, pid)
      await using postgres = await openEmbeddedPostgres({ directory, durable: 'no' })
      assert.notEqual(postgres.pid, pid)
    }
  } finally {
    parent.kill()
  }
})

test('is not stopped by a lock file that stayed empty when power failed', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  await (await openEmbeddedPostgres({ directory, durable: 'no' }))[Symbol.asyncDispose]()
  const file = join(directory, 'cluster', 'postmaster.pid')
  await writeFile(file, '')
  await utimes(file, 1_700_000_000, 1_700_000_000)
  await using postgres = await openEmbeddedPostgres({ directory, durable: 'no' })
  assert.equal(postgres.adopted, false)
})

test('a copy of a running directory does not lead to the original', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const copy = join(temporary.path, 'copy')
  await using original = await openEmbeddedPostgres({ directory, durable: 'no' })
  await cp(directory, copy, { recursive: true, filter: (path) => !path.includes('.s.PGSQL') })
  await using copied = await openEmbeddedPostgres({ directory: copy, durable: 'no' })
  assert.equal(copied.adopted, false)
  assert.notEqual(copied.pid, original.pid)
})

test('creates the database anew when its first creation was killed halfway', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const killed = startProcess(directory)
  await eventually(async () => {
    const [unfinished] = (await readdir(directory).catch(() => [])).filter((name) => name.startsWith('initdb-'))
    return unfinished !== undefined && (await readdir(join(directory, unfinished))).includes('base')
  })
  await killed.kill()
  assert((await readdir(directory)).some((name) => name.startsWith('initdb-')))
  await using postgres = await openEmbeddedPostgres({ directory })
  assert.equal(postgres.adopted, false)
  assert.deepEqual((await readdir(directory)).sort(), ['cluster', 'postgres.log', 'socket'])
})
