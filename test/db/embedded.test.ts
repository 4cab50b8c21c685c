import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { DataDirectoryInUse } from '../../src/db/embedded/embedded-postgres-error.ts'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { processesIn, startProcess, temporaryDirectory } from './embedded-process.ts'

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(sql).finally(() => client.end())
  return rows
}

test('creates a durable database that is closed to everyone else, and keeps it for the next start', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'a', 'postgres')
  {
    await using postgres = await openEmbeddedPostgres({ directory })
    assert.equal(postgres.adopted, false)
    const [settings] = await query(
      postgres.connectionString,
      `select current_database() as db, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync,
         current_setting('full_page_writes') as pages, current_setting('listen_addresses') as tcp,
         current_setting('server_encoding') as encoding, upper('école') as upper, 'Z' < 'a' as by_code_point`,
    )
    assert.deepEqual(settings, {
      ...{ db: 'reelay', fsync: 'on', sync: 'on', pages: 'on', tcp: '', encoding: 'UTF8' },
      ...{ upper: 'ÉCOLE', by_code_point: true },
    })
    assert.equal((await stat(directory)).mode & 0o777, 0o700)
    assert.equal((await stat(join(directory, 'socket'))).mode & 0o777, 0o700)
    await query(postgres.connectionString, 'create table kept as select 7 as n')
  }
  assert.deepEqual(await processesIn(directory), [])
  await using again = await openEmbeddedPostgres({ directory })
  assert.deepEqual(await query(again.connectionString, 'select n from kept'), [{ n: 7 }])
  assert.deepEqual((await readdir(directory)).sort(), ['cluster', 'postgres.log', 'socket'])
})

test('of two processes that create it at once one starts it, and the last one out stops it', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const both = [startProcess(directory), startProcess(directory)] as const
  const [first, second] = await Promise.all(both.map((other) => other.opened))
  assert.equal(first?.pid, second?.pid)
  await both[0].leave()
  assert.deepEqual(await query(first?.url ?? '', 'select 1 as n'), [{ n: 1 }], 'it runs while one is in')
  await both[1].leave()
  assert.deepEqual(await processesIn(directory), [])
})

test('refuses a second server, lets commands work beside the first, and frees the place of a killed one', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  const server = startProcess(directory, 'server')
  const { pid } = await server.opened
  {
    await using command = await openEmbeddedPostgres({ directory })
    assert.equal(command.adopted, true)
    assert.equal(command.pid, pid)
    await assert.rejects(command.claimServer(), (error: unknown) => {
      assert(error instanceof DataDirectoryInUse)
      assert.match(error.message, new RegExp(`reelay, process ${server.child.pid}\\) is running on`))
      return true
    })
  }
  assert.notDeepEqual(await processesIn(directory), [], 'a command that leaves stops nothing')
  await server.kill()
  await using next = await openEmbeddedPostgres({ directory })
  await next.claimServer()
})

test('a process that comes while another stops the database waits, and starts it again', async () => {
  await using temporary = await temporaryDirectory()
  const directory = join(temporary.path, 'postgres')
  let current = await openEmbeddedPostgres({ directory, durable: 'no' })
  for (let round = 0; round < 6; round++) {
    const [next] = await Promise.all([
      openEmbeddedPostgres({ directory, durable: 'no' }),
      current[Symbol.asyncDispose](),
    ])
    assert.deepEqual(await query(next.connectionString, 'select 1 as n'), [{ n: 1 }])
    current = next
  }
  await current[Symbol.asyncDispose]()
  await current[Symbol.asyncDispose]()
  assert.deepEqual(await processesIn(directory), [])
})
