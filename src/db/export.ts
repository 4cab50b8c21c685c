import { createHash, type Hash } from 'node:crypto'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import pg from 'pg'
import { EXACT_TEXT_SETTINGS, EXPORT_FORMAT, EXPORT_VERSION } from './export-format.ts'
import { appliedMigrations } from './migrate.ts'
import { readUserTables, type UserTable } from './user-tables.ts'

/** Rows in memory at once. A task's two JSON documents are some kilobytes, and 100 KB at most, so this is 20 MB at most. */
const FETCH_ROWS = 200

/**
 * Writes a logical backup of all rows, as of one moment, while the database is in use; `importDatabase` reads it. The
 * format is in `export-format.ts`. Media files are not in it: they lie in the store and are backed up there. It holds
 * customers' data and this installation's secrets, so it must be kept as safe as the database.
 *
 * @param client a connection of its own, not in a transaction; it is busy until the end.
 * @param output is ended, or destroyed when the export fails. Memory stays constant whatever the size.
 * @returns how many rows of each table were written.
 */
export async function exportDatabase(client: pg.ClientBase, output: Writable): Promise<Record<string, bigint>> {
  const counts: Record<string, bigint> = {}
  await client.query('begin transaction isolation level repeatable read read only')
  try {
    await client.query(EXACT_TEXT_SETTINGS)
    await pipeline(Readable.from(sealed(client, counts), { objectMode: true }), createGzip(), output)
  } finally {
    await client.query('rollback').catch(() => undefined)
  }
  return counts
}

/** Everything, and the line that says how much it was and what it hashes to. */
async function* sealed(client: pg.ClientBase, counts: Record<string, bigint>): AsyncGenerator<string> {
  const hash: Hash = createHash('sha256')
  for await (const text of parts(client, counts)) {
    hash.update(text)
    yield text
  }
  const rows = Object.fromEntries(Object.entries(counts).map(([table, count]) => [table, String(count)]))
  yield line({ end: true, rows, sha256: hash.digest('hex') })
}

async function* parts(client: pg.ClientBase, counts: Record<string, bigint>): AsyncGenerator<string> {
  const migrations = await appliedMigrations(client)
  yield line({ format: EXPORT_FORMAT, version: EXPORT_VERSION, createdAt: new Date().toISOString(), migrations })
  for (const table of await readUserTables(client)) {
    yield line({ table: table.name, columns: table.columns.map((column) => column.name) })
    let count = 0n
    for await (const rows of batches(client, table)) {
      count += BigInt(rows.length)
      yield rows.map(line).join('')
    }
    counts[table.name] = count
  }
  // After the rows: a sequence knows no snapshot, and may be ahead of them but must not be behind.
  const { rows: sequences } = await client.query<{ sequence: string; last: string }>(
    `select sequencename as sequence, last_value::text as last from pg_sequences
     where schemaname = 'public' and last_value is not null order by sequencename`,
  )
  for (const sequence of sequences) yield line(sequence)
}

async function* batches(client: pg.ClientBase, table: UserTable): AsyncGenerator<(string | null)[][]> {
  const columns = table.columns.map(({ name }) => `${pg.escapeIdentifier(name)}::text`).join(', ')
  const order = table.key.length === 0 ? '' : `order by ${table.key.map(pg.escapeIdentifier).join(', ')}`
  const from = `public.${pg.escapeIdentifier(table.name)}`
  await client.query(`declare exported no scroll cursor for select ${columns} from ${from} ${order}`)
  const fetch = { text: `fetch ${FETCH_ROWS} from exported`, rowMode: 'array' as const }
  for (;;) {
    const { rows } = await client.query<(string | null)[]>(fetch)
    if (rows.length > 0) yield rows
    if (rows.length < FETCH_ROWS) break
  }
  await client.query('close exported')
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
