import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import pg from 'pg'
import type { z } from 'zod'
import { EXACT_TEXT_SETTINGS, EXPORT_VERSION, type ExportPart, exportHeader, exportPart } from './export-format.ts'
import { type AppliedMigration, appliedMigrations } from './migrate.ts'
import { readUserTables, type UserTable } from './user-tables.ts'

/** The file or the database is not one to import, or to import into. Nothing was changed. */
export class ImportRefused extends Error {
  override readonly name = 'ImportRefused'
}

/** Rows per statement, and the bytes of lines that end a statement sooner: both bound the memory. */
const INSERT_ROWS = 500
const INSERT_BYTES = 4 * 1024 * 1024

/** A line is a row, and requests are bounded far below this; a longer one is not from an export of ours. */
const LINE_MAX_BYTES = 64 * 1024 * 1024

const NEWLINE = 0x0a

/**
 * Reads what `exportDatabase` wrote into a database that has the same migrations and no rows, in one transaction.
 *
 * The schema's own triggers (an append-only ledger, balances as running totals) would refuse or repeat what the rows
 * already tell, so they are disabled for the transaction, which the tables' owner may do; foreign keys and checks stay
 * on. No superuser is needed. The caller should then run the ledger's own proof. Media files are not in an export.
 *
 * @param client a connection of its own that owns the tables, not in a transaction.
 * @param onRead what is to be done in the same transaction once all rows are there, given the ISO time of the export.
 * @returns how many rows of each table were read.
 * @throws ImportRefused if the file is damaged, cut off or of another schema, or the database is not empty.
 */
export async function importDatabase(
  client: pg.ClientBase,
  input: Readable,
  onRead: (exportedAt: string) => Promise<void> = async () => {},
): Promise<Record<string, bigint>> {
  await client.query('begin')
  try {
    await client.query(EXACT_TEXT_SETTINGS)
    const tables = await readUserTables(client)
    // Nobody else may write meanwhile, or what is counted at the end is not what was read.
    for (const { name } of tables) {
      await client.query(`lock table public.${pg.escapeIdentifier(name)} in share row exclusive mode`)
    }
    await assertEmpty(client, tables)
    const triggers = await disableTriggers(client)
    const { counts, exportedAt } = await readParts(client, input, tables)
    await assertCounts(client, tables, counts)
    // A table with checks still pending cannot be altered.
    await client.query('set constraints all immediate')
    for (const { table, trigger } of triggers) await client.query(`alter table ${table} enable trigger ${trigger}`)
    await onRead(exportedAt)
    await client.query('commit')
    return counts
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    input.destroy()
  }
}

/** Goes through the file; the counts are those of its last line, which has been verified. */
async function readParts(
  client: pg.ClientBase,
  input: Readable,
  tables: readonly UserTable[],
): Promise<{ readonly counts: Record<string, bigint>; readonly exportedAt: string }> {
  const hash = createHash('sha256')
  let exportedAt: string | undefined
  let inserter: Inserter | undefined
  for await (const line of lines(input)) {
    const value = parse(line)
    if (Array.isArray(value)) {
      if (inserter === undefined) throw new ImportRefused('The file is damaged: a row belongs to no table.')
      await inserter.add(value, line.length)
    } else if (exportedAt === undefined) {
      exportedAt = readHeader(value, await appliedMigrations(client)).createdAt
    } else {
      await inserter?.flush()
      inserter = undefined
      const part = parsePart(value)
      if ('end' in part) return { counts: verifyEnd(part, hash.digest('hex')), exportedAt }
      if ('table' in part) inserter = new Inserter(client, part, tables)
      else await client.query("select setval(format('public.%I', $1::text)::regclass, $2)", [part.sequence, part.last])
    }
    hash.update(line).update('\n')
  }
  throw new ImportRefused('The file is cut off: its last line is missing. Copy it again.')
}

/** Collects rows of one table and inserts them by hundreds. */
class Inserter {
  readonly #client: pg.ClientBase
  readonly #statement: string
  readonly #columns: (string | null)[][]
  #rows = 0
  #bytes = 0

  constructor(client: pg.ClientBase, part: { table: string; columns: string[] }, tables: readonly UserTable[]) {
    const table = tables.find(({ name }) => name === part.table)
    const expected = table?.columns.map(({ name }) => name).join(', ')
    if (table === undefined || expected !== part.columns.join(', ')) {
      throw new ImportRefused(`The file's table ${part.table} (${part.columns.join(', ')}) is not one of this schema.`)
    }
    const names = table.columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ')
    const values = table.columns.map(({ type }, index) => `v${index}::${type}`).join(', ')
    const arrays = table.columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
    const aliases = table.columns.map((_, index) => `v${index}`).join(', ')
    this.#client = client
    this.#columns = table.columns.map(() => [])
    this.#statement = `insert into public.${pg.escapeIdentifier(table.name)} (${names}) overriding system value
      select ${values} from unnest(${arrays}) as r (${aliases})`
  }

  async add(row: readonly unknown[], bytes: number): Promise<void> {
    if (row.length !== this.#columns.length) throw new ImportRefused('The file is damaged: a row has a wrong length.')
    for (const [index, column] of this.#columns.entries()) {
      const value = row[index]
      if (typeof value !== 'string' && value !== null)
        throw new ImportRefused('The file is damaged: a value is no text.')
      column.push(value)
    }
    this.#rows += 1
    this.#bytes += bytes
    if (this.#rows >= INSERT_ROWS || this.#bytes >= INSERT_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#rows === 0) return
    await this.#client.query(this.#statement, this.#columns)
    for (const column of this.#columns) column.length = 0
    this.#rows = 0
    this.#bytes = 0
  }
}

/** The lines of a gzip. Not `readline`, which also breaks at U+2028, and a prompt may hold one. */
async function* lines(input: Readable): AsyncGenerator<Buffer> {
  const gunzip = createGunzip()
  input.on('error', (error) => gunzip.destroy(error))
  let begun: Buffer[] = []
  let begunBytes = 0
  try {
    for await (const chunk of input.pipe(gunzip)) {
      if (!Buffer.isBuffer(chunk)) continue
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        yield Buffer.concat([...begun, chunk.subarray(start, end)])
        begun = []
        begunBytes = 0
        start = end + 1
      }
      begun.push(chunk.subarray(start))
      begunBytes += chunk.length - start
      if (begunBytes > LINE_MAX_BYTES) throw new ImportRefused('The file is damaged: a line has no end.')
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_'))) throw cause
    throw new ImportRefused('The file is cut off or is no export of Reelay. Copy it again.', { cause })
  }
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (cause) {
    throw new ImportRefused('The file is damaged: a line is no JSON.', { cause })
  }
}

function parsePart(value: unknown): ExportPart {
  const part = exportPart.safeParse(value)
  if (part.success) return part.data
  throw new ImportRefused('The file is damaged: a line is neither a table nor a row.', { cause: part.error })
}

function readHeader(value: unknown, migrations: readonly AppliedMigration[]): z.infer<typeof exportHeader> {
  const header = exportHeader.safeParse(value)
  if (!header.success) throw new ImportRefused('The file is no export of Reelay.', { cause: header.error })
  if (header.data.version !== EXPORT_VERSION) {
    throw new ImportRefused(`The file has format ${header.data.version}; this Reelay reads format ${EXPORT_VERSION}.`)
  }
  const fingerprint = (list: readonly AppliedMigration[]): string => list.map(({ sha256 }) => sha256).join()
  if (fingerprint(header.data.migrations) === fingerprint(migrations)) return header.data
  throw new ImportRefused(
    `The export has the schema ${header.data.migrations.at(-1)?.name}, the database ${migrations.at(-1)?.name}. ` +
      'Import it with the Reelay that exported it, and update that one.',
  )
}

function verifyEnd(part: { rows: Record<string, string>; sha256: string }, sha256: string): Record<string, bigint> {
  if (part.sha256 !== sha256) throw new ImportRefused('The file is damaged: its SHA-256 differs. Copy it again.')
  return Object.fromEntries(Object.entries(part.rows).map(([table, count]) => [table, BigInt(count)]))
}

async function assertEmpty(client: pg.ClientBase, tables: readonly UserTable[]): Promise<void> {
  for (const { name } of tables) {
    const { rowCount } = await client.query(`select from public.${pg.escapeIdentifier(name)} limit 1`)
    if (rowCount === 0) continue
    throw new ImportRefused(`The database is not empty: ${name} has rows. Import into a new one.`)
  }
}

async function assertCounts(
  client: pg.ClientBase,
  tables: readonly UserTable[],
  expected: Record<string, bigint>,
): Promise<void> {
  for (const { name } of tables) {
    const { rows } = await client.query<{ n: string }>(
      `select count(*)::text as n from public.${pg.escapeIdentifier(name)}`,
    )
    if (rows[0]?.n === String(expected[name])) continue
    throw new ImportRefused(`The file promises ${expected[name]} rows of ${name}, and ${rows[0]?.n} arrived.`)
  }
}

/** Disables the triggers that are on, one by one, so that one that was off is not turned on afterwards. */
async function disableTriggers(client: pg.ClientBase): Promise<{ table: string; trigger: string }[]> {
  const { rows } = await client.query<{ table: string; trigger: string }>(
    `select format('public.%I', c.relname) as table, format('%I', t.tgname) as trigger
     from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = 'public'::regnamespace and not t.tgisinternal and t.tgenabled = 'O' and not c.relispartition`,
  )
  for (const { table, trigger } of rows) await client.query(`alter table ${table} disable trigger ${trigger}`)
  return rows
}
