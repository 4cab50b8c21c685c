import assert from 'node:assert/strict'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gunzipSync, gzipSync } from 'node:zlib'
import pg from 'pg'
import { exportDatabase } from '../../src/db/export.ts'
import { ImportRefused, importDatabase } from '../../src/db/import.ts'
import { migrate } from '../../src/db/migrate.ts'
import { type TestDatabase, testDatabase } from '../support/database.ts'

const SCHEMA = `
  create table a_child (id bigint generated always as identity primary key, parent uuid not null references z_parent,
    note text, doubled bigint generated always as (id * 2) stored);
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
  create trigger a_child_refuses before insert on a_child for each row execute function refuse();
  create table "Odd ""Name""" ("order" int, "a,b" text);
`
const PARENT = `
  create table z_parent (id uuid primary key, big bigint, small smallint, exact numeric(30, 6), float double precision,
    bytes bytea, document jsonb, at timestamptz, day date, span interval, words text[], grid int[][], yes boolean);
`

/** A database with tables of every kind of column that a schema of ours has or may get. */
async function oddDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'reelay-export-'))
  await writeFile(join(folder, '0001-parent.sql'), PARENT)
  await writeFile(join(folder, '0002-rest.sql'), SCHEMA)
  const database = await testDatabase('empty')
  await migrate({ connectionString: database.url }, folder)
  await rm(folder, { recursive: true })
  return database
}

async function withClient<T>(database: TestDatabase, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  return await work(client).finally(() => client.end())
}

async function exported(database: TestDatabase): Promise<Buffer> {
  const chunks: Buffer[] = []
  const output = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await withClient(database, (client) => exportDatabase(client, output))
  return Buffer.concat(chunks)
}

async function imported(database: TestDatabase, file: Buffer): Promise<Record<string, bigint>> {
  return await withClient(database, (client) => importDatabase(client, Readable.from([file], { objectMode: false })))
}

async function refuses(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(attempt, (error: unknown) => {
    assert(error instanceof ImportRefused)
    assert.match(error.message, message)
    return true
  })
}

async function fill(database: TestDatabase): Promise<void> {
  await database.pool.query(`insert into z_parent values
    ('0199f0aa-0000-7000-8000-000000000001', 9223372036854775807, -32768, 123456789012345678901234.000001,
     0.1::float8 + 0.2::float8, '\\x00ff0a5c', '{"n": 12345678901234567890.5, "s": "\\u2028 \\" \\\\"}',
     '2026-02-03 04:05:06.789123+05:30', '2024-02-29', '1 mon 2 days 00:00:00.000003',
     array['a,b', '"q"', null, 'NULL', ''], '{{1,2},{3,4}}', true),
    ('0199f0aa-0000-7000-8000-000000000002', null, null, null, 'NaN', '', 'null', 'infinity', null, null, '{}', null, null)`)
  await database.pool.query('alter table a_child disable trigger a_child_refuses')
  await database.pool.query(`insert into a_child (parent, note)
    select '0199f0aa-0000-7000-8000-000000000001', e'line\\nbreak\\r\\u2028\\t' || n from generate_series(1, 1234) n`)
  await database.pool.query('alter table a_child enable trigger a_child_refuses')
  await database.pool.query(`insert into "Odd ""Name""" values (1, 'x')`)
}

async function contents(database: TestDatabase): Promise<unknown[]> {
  const tables = ['z_parent', 'a_child', '"Odd ""Name"""']
  return await Promise.all(
    tables.map(async (table) => (await database.pool.query(`select t::text from ${table} t order by 1`)).rows),
  )
}

test('every kind of value comes back exactly, past triggers, and numbering goes on', async () => {
  await using source = await oddDatabase()
  await fill(source)
  await using target = await oddDatabase()
  const file = await exported(source)
  assert.deepEqual(await imported(target, file), { z_parent: 2n, a_child: 1234n, 'Odd "Name"': 1n })
  assert.deepEqual(await contents(target), await contents(source))
  const linesOf = (zipped: Buffer): string[] => gunzipSync(zipped).toString().trimEnd().split('\n')
  // The first line has the time, and the last one a hash that depends on it.
  assert.deepEqual(linesOf(await exported(target)).slice(1, -1), linesOf(file).slice(1, -1))
  const { rows } = await target.pool.query("select nextval(pg_get_serial_sequence('a_child', 'id')) as n")
  assert.deepEqual(rows, [{ n: 1235n }])
  await assert.rejects(target.pool.query(`insert into a_child (parent) select id from z_parent`), /refused/)
})

test('the ledger of the real schema is imported with its balances and guarded afterwards', async () => {
  await using source = await testDatabase()
  await source.pool.query(`insert into accounts (id, name, plan) values (gen_random_uuid(), 'Ada', 'pro')`)
  await source.pool.query(`insert into wallets (account_id, mode) select id, 'live' from accounts`)
  await source.pool.query(`insert into ledger_transfers (wallet_id, kind, amount) select id, 'grant', 500 from wallets`)
  await using target = await testDatabase()
  await imported(target, await exported(source))
  const balance = 'select granted, available from wallets'
  assert.deepEqual((await target.pool.query(balance)).rows, [{ granted: 500n, available: 500n }])
  await target.pool.query(`insert into ledger_transfers (wallet_id, kind, amount) select id, 'grant', 7 from wallets`)
  assert.deepEqual((await target.pool.query(balance)).rows, [{ granted: 507n, available: 507n }])
  await assert.rejects(target.pool.query('delete from ledger_transfers'), /append-only/)
})

test('refuses a file that is cut off, altered or foreign, and leaves the database empty', async () => {
  await using source = await oddDatabase()
  await fill(source)
  await using target = await oddDatabase()
  const file = await exported(source)
  const lines = gunzipSync(file).toString().trimEnd().split('\n')
  const zip = (text: string[]): Buffer => gzipSync(`${text.join('\n')}\n`)

  await refuses(imported(target, file.subarray(0, file.length - 20)), /cut off/)
  await refuses(imported(target, zip(lines.slice(0, -1))), /cut off/)
  await refuses(imported(target, Buffer.from('no gzip')), /no export/)
  await refuses(imported(target, zip(['{"hello":"world"}'])), /no export/)
  const altered = lines.map((line) => line.replace('\\t77"', '\\t78"'))
  assert.notDeepEqual(altered, lines)
  await refuses(imported(target, zip(altered)), /SHA-256 differs/)
  await using other = await testDatabase()
  await refuses(imported(other, file), /the schema 0002-rest\.sql/)
  assert.deepEqual(await contents(target), [[], [], []])
})

test('refuses a database that has rows', async () => {
  await using source = await oddDatabase()
  await fill(source)
  await refuses(imported(source, await exported(source)), /not empty: z_parent|not empty: Odd|not empty: a_child/)
})

test('an export is of one moment, though rows are written meanwhile', async () => {
  await using source = await oddDatabase()
  await fill(source)
  const output = new Writable({
    write(_chunk, _encoding, done) {
      source.pool.query('delete from a_child').then(() => done(), done)
    },
  })
  await source.pool.query('delete from a_child where id > 1000')
  const counts = await withClient(source, async (client) => await exportDatabase(client, output))
  assert.equal(counts['a_child'], 1000n)
})

test('memory does not grow with the rows', async () => {
  await using source = await oddDatabase()
  await using target = await oddDatabase()
  // 100,000 rows of 256 bytes: 60 MB in each direction, were they held as strings of two bytes a character.
  await source.pool.query(`insert into "Odd ""Name"""
    select n, (select string_agg(md5(n::text || i), '') from generate_series(1, 8) i) from generate_series(1, 100000) n`)
  // What is retained, not what waits to be collected: so it is collected before each look.
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const retainedBytes = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const startBytes = retainedBytes()
  let peakBytes = 0
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, retainedBytes() - startBytes)
  }, 50)
  const folder = await mkdtemp(join(tmpdir(), 'reelay-export-'))
  const path = join(folder, 'export.gz')
  await withClient(source, (client) => exportDatabase(client, createWriteStream(path)))
  const counts = await withClient(target, (client) => importDatabase(client, createReadStream(path)))
  clearInterval(timer)
  await rm(folder, { recursive: true })
  assert.equal(counts['Odd "Name"'], 100_000n)
  assert(peakBytes > 0 && peakBytes < 15 * 1024 * 1024, `held ${peakBytes} bytes`)
})
