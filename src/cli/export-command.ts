import { open, rename, rm } from 'node:fs/promises'
import process from 'node:process'
import { Command } from 'commander'
import pg from 'pg'
import { exportDatabase } from '../db/export.ts'
import { ImportRefused, importDatabase } from '../db/import.ts'
import { beginEpoch, type Parked } from '../db/installation.ts'
import { proveLedger } from '../ledger/prove.ts'
import { CommandError } from './command-error.ts'
import { type OutputOptions, print, table } from './output.ts'
import { parkedLines } from './parked-lines.ts'
import { withDatabase } from './with-database.ts'

/** `reelay export FILE`: the database as one file; the videos lie in the store and are copied from there. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write the whole database to a file; a server may go on running')
    .argument('<file>', 'e.g. backup.ndjson.gz')
    .option('--json', 'print JSON')
    .action(async (file: string, options: OutputOptions) => {
      const part = `${file}.part`
      try {
        await using target = await open(part, 'w', 0o600)
        // A rename may reach the disk before the bytes do; a crash would leave half a file in place of the last backup.
        const counts = await withDatabase(({ connection }) =>
          withClient(connection, (client) => exportDatabase(client, target.createWriteStream({ flush: true }))),
        )
        await rename(part, file)
        print(options, { file, rows: counts }, [...countLines(counts), `written to ${file}`])
      } finally {
        await rm(part, { force: true })
      }
    })
}

/** Everything is imported, but the ledger could not be proved; as `reelay doctor` says it. */
const EXIT_NOT_EXAMINED = 3

/**
 * `reelay import FILE`: into an empty database only; the ledger is proved before the command says that it is done. What was open
 * is parked: the original may have gone on.
 */
export function importCommand(): Command {
  return new Command('import')
    .description('read an export into an empty database')
    .argument('<file>')
    .option('--json', 'print JSON')
    .action(async (file: string, options: OutputOptions) => {
      await using source = await open(file)
      const { counts, parked, proof } = await withDatabase(async ({ connection }) => {
        const input = source.createReadStream({ autoClose: false })
        const parked: Parked[] = []
        const read = await withClient(connection, (client) =>
          // In the same transaction: no server ever finds the tasks of a restored database as they were in the original.
          importDatabase(client, input, async (exportedAt) => void parked.push(await beginEpoch(client, exportedAt))),
        ).catch((error: unknown) => {
          throw error instanceof ImportRefused ? new CommandError(error.message, { cause: error }) : error
        })
        return { counts: read, parked: parked[0], proof: await proveLedger(connection) }
      })
      if (proof.kind === 'violated') {
        const [{ rule, subject, found }] = proof.violations
        throw new CommandError(`Imported, but the ledger is not sound: ${rule} (${subject}: ${found}).`)
      }
      const isProved = proof.kind === 'sound'
      const said = isProved
        ? 'The ledger is sound.'
        : `Imported; the ledger was not examined (${proof.reason}): run "reelay doctor".`
      print(options, { file, rows: counts, ledger: isProved ? 'sound' : 'not examined', parked: parked ?? null }, [
        ...[...countLines(counts), said],
        ...(parked === undefined
          ? []
          : parkedLines({ tasks: Number(parked.tasks), deliveries: Number(parked.deliveries) })),
      ])
      if (!isProved) process.exitCode = EXIT_NOT_EXAMINED
    })
}

async function withClient<Result>(
  config: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ application_name: 'reelay-backup', ...config })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function countLines(counts: Readonly<Record<string, bigint>>): string[] {
  return table(
    ['TABLE', 'ROWS'],
    Object.entries(counts).map(([name, rows]) => [name, rows.toString()]),
  )
}
