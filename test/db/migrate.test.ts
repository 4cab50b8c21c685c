import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { appliedMigrations, assertMigrated, type LockWait, MigrationRefused, migrate } from '../../src/db/migrate.ts'
import { testDatabase } from '../support/database.ts'

/** A folder of migrations; disposing of it removes it. */
async function migrationFolder(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'reelay-migrations-'))
  const write = async (more: Record<string, string>): Promise<void> => {
    for (const [name, sql] of Object.entries(more)) await writeFile(join(path, name), sql)
  }
  await write(files)
  return {
    path,
    write,
    remove: (name: string) => rm(join(path, name)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

const TWO = {
  '0001-first.sql': 'create table first (n int);',
  '0002-second.sql': 'create table second (n int); insert into second values (2);',
}

async function refuses(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(attempt, (error: unknown) => {
    assert(error instanceof MigrationRefused)
    assert.match(error.message, message)
    return true
  })
}

test('applies what is missing, in order, and nothing twice', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder(TWO)
  const config = { connectionString: database.url }
  assert.deepEqual(await migrate(config, folder.path), ['0001-first.sql', '0002-second.sql'])
  assert.deepEqual(await migrate(config, folder.path), [])
  await folder.write({ '0003-third.sql': 'alter table second add m int default 3' })
  assert.deepEqual(await migrate(config, folder.path), ['0003-third.sql'])
  assert.deepEqual((await database.pool.query('select n, m from second')).rows, [{ n: 2, m: 3 }])
})

test('applies each file once when several processes start at once', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder(TWO)
  const runs = Array.from({ length: 5 }, () => migrate({ connectionString: database.url }, folder.path))
  assert.deepEqual((await Promise.all(runs)).flat().sort(), ['0001-first.sql', '0002-second.sql'])
})

test('undoes a migration that fails, names its file and line, and keeps those before it', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder({
    ...TWO,
    '0003-wrong.sql': 'create table third (n int);\nselect no_such_function();',
  })
  await assert.rejects(migrate({ connectionString: database.url }, folder.path), {
    message: /^The migration 0003-wrong\.sql:2 failed and was undone: function no_such_function/,
  })
  assert.deepEqual(
    (await appliedMigrations(database.pool)).map(({ name }) => name),
    ['0001-first.sql', '0002-second.sql'],
  )
  assert.equal((await database.pool.query("select to_regclass('third') as t")).rows[0].t, null)
})

test('refuses an applied file that was changed, removed, or preceded by a new one', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder(TWO)
  const attempt = () => migrate({ connectionString: database.url }, folder.path)
  await attempt()
  await folder.write({ '0002-second.sql': 'select 1' })
  await refuses(attempt(), /0002-second\.sql was changed after it was applied/)
  await folder.remove('0002-second.sql')
  await refuses(attempt(), /has the migration 0002-second\.sql, which this Reelay does not.*newer Reelay/)
  await folder.write({ '0002-other.sql': 'select 1', '0003-second.sql': 'select 1' })
  await refuses(attempt(), /0002-other\.sql was added before 0002-second\.sql/)
})

test('refuses names that are out of order', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder({ '0001-first.sql': '', '0003-third.sql': '' })
  await refuses(migrate({ connectionString: database.url }, folder.path), /0003-third\.sql in .* 0002-title\.sql/)
})

test('the migrations of this code are all in the template of the tests', async () => {
  await using database = await testDatabase()
  assert.deepEqual(await migrate({ connectionString: database.url }), [])
})

test('lets what serves go on while a long transaction holds what a migration has to lock, and applies it afterwards', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder(TWO)
  const config = { connectionString: database.url }
  await migrate(config, folder.path)
  const snapshot = await database.pool.connect()
  await snapshot.query(
    "set application_name = 'a long export'; begin isolation level repeatable read; select from second",
  )
  await folder.write({ '0003-third.sql': 'alter table second add m int default 3' })
  const waits: LockWait[] = []
  const order: string[] = []
  // Told only once the migration has been undone; until then a reader of the table waits behind it, for as long as one try.
  const onWait = (wait: LockWait) => void waits.push(wait)
  const migrating = migrate(config, folder.path, onWait).then((names) => {
    order.push('migrated')
    return names
  })
  for (let read = 0; read < 20 || waits.length < 2; read += 1) await database.pool.query('select n from second')
  order.push('read')
  await snapshot.query('commit')
  snapshot.release(true)
  assert.deepEqual(await migrating, ['0003-third.sql'])
  assert.deepEqual(order, ['read', 'migrated'])
  assert.equal(waits[0]?.migration, '0003-third.sql')
  assert.match(String(waits[0]?.blockers), /a long export/)
  assert.deepEqual((await database.pool.query('select m from second')).rows, [{ m: 3 }])
})

test('a check changes nothing, names what is missing, and passes what is complete', async () => {
  await using database = await testDatabase('empty')
  await using folder = await migrationFolder(TWO)
  const config = { connectionString: database.url }
  await refuses(assertMigrated(config, folder.path), /lacks the migration 0001-first\.sql.*reelay migrate/)
  assert.deepEqual((await database.pool.query("select from pg_class where relname = 'schema_migrations'")).rowCount, 0)
  await migrate(config, folder.path)
  await assertMigrated(config, folder.path)
})
