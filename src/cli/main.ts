/** The command line: `reelay <command>`. The only place that ends the process. */
import process from 'node:process'
import { Command, CommanderError } from 'commander'
import { BootstrapRefused } from '../accounts/bootstrap.ts'
import { ConfigError } from '../config/config-error.ts'
import { EmbeddedPostgresError } from '../db/embedded/embedded-postgres-error.ts'
import { MigrationRefused } from '../db/migrate.ts'
import { StoreRefused } from '../media/store-identity.ts'
import { accountsCommand } from './accounts-command.ts'
import { CommandError } from './command-error.ts'
import { creditsCommand } from './credits-command.ts'
import { deliveriesCommand } from './deliveries-command.ts'
import { doctorCommand } from './doctor-command.ts'
import { exportCommand, importCommand } from './export-command.ts'
import { generateCommand } from './generate-command.ts'
import { keysCommand } from './keys-command.ts'
import { migrateCommand } from './migrate-command.ts'
import { modelsCommand } from './models-command.ts'
import { forTerminal } from './output.ts'
import { providersCommand } from './providers-command.ts'
import { quickstartCommand } from './quickstart-command.ts'
import { serveCommand } from './serve-command.ts'
import { statusCommand } from './status-command.ts'
import { storeCommand } from './store-command.ts'
import { tasksCommand } from './tasks-command.ts'
import { verifyCommand } from './verify-command.ts'

const program = new Command('reelay')
  .description('Self-hosted platform for AI video generation')
  // Told below, like every other error: in one sentence, and as JSON where that was asked for.
  .configureOutput({ outputError: () => {} })
  .exitOverride()

for (const command of [
  serveCommand(),
  quickstartCommand(),
  generateCommand(),
  tasksCommand(),
  providersCommand(),
  statusCommand(),
  verifyCommand(),
  accountsCommand(),
  keysCommand(),
  creditsCommand(),
  deliveriesCommand(),
  storeCommand(),
  modelsCommand(),
  migrateCommand(),
  doctorCommand(),
  exportCommand(),
  importCommand(),
]) {
  program.addCommand(command)
}
handDownSettings(program)

/** Errors that are told in one sentence; anything else is a fault of ours and shows its stack. */
const SENTENCES = [
  CommandError,
  ConfigError,
  BootstrapRefused,
  StoreRefused,
  EmbeddedPostgresError,
  MigrationRefused,
  CommanderError,
]

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1
  if (!isHelp(error)) report(error)
}

function handDownSettings(parent: Command): void {
  for (const command of parent.commands) handDownSettings(command.copyInheritedSettings(parent))
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && ['commander.help', 'commander.helpDisplayed'].includes(error.code)
}

function report(error: unknown): void {
  const known = SENTENCES.some((kind) => error instanceof kind) || isSystemError(error)
  const message = messageOf(error)
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { message } })}\n`)
  else
    process.stderr.write(
      forTerminal(`reelay: ${known || !(error instanceof Error) ? message : (error.stack ?? message)}\n`),
    )
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  // The attempts on several addresses of one host are an error without a message.
  return error instanceof AggregateError && error.message === ''
    ? error.errors.map(messageOf).join('; ')
    : error.message
}

/** A file that is not there, a port that is taken, a database that does not answer. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && ('syscall' in error || (error instanceof AggregateError && 'code' in error))
}
