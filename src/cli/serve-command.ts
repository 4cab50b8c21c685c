import process from 'node:process'
import { Command } from 'commander'
import type { Logger } from 'pino'
import { hasAccounts } from '../accounts/bootstrap.ts'
import type { Config } from '../config/config.ts'
import { readConfig } from '../config/read-config.ts'
import { createLogger } from '../observe/logger.ts'
import { armFaultPoint } from './arm-fault-point.ts'
import type { RunningPlatform } from './start-platform.ts'

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** `reelay serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the platform, as the environment and reelay.config.json say; SIGHUP reads the file again')
    .option('--role <role>', 'all, api or worker (REELAY_ROLE)')
    .option('--json', 'print the address as JSON when ready')
    .action(async (options: { role?: string; json?: boolean }) => {
      const config = readConfig(
        options.role === undefined ? process.env : { ...process.env, REELAY_ROLE: options.role },
      )
      const log = createLogger(config.logLevel)
      // Whatever else is printed: a full disk or a reader that has gone ends no server.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
      armFaultPoint(process.env['REELAY_FAULT'])
      let platform: RunningPlatform | undefined
      // From the beginning: by default the signal would end a process that is still starting.
      process.on('SIGHUP', () => void platform?.reload())
      // Loaded here alone: no other command waits for the whole server to be read.
      const { startPlatform } = await import('./start-platform.ts')
      platform = await startPlatform(config, log)
      // Before anybody learns that it is ready, and may stop it.
      const stopped = untilStopped(platform, log)
      sayHello(platform, config, log)
      if (options.json === true) process.stdout.write(`${JSON.stringify({ url: platform.url ?? null })}\n`)
      if (!(await hasAccounts(platform.pool))) {
        log.warn('there is no account yet: "reelay accounts create NAME" makes one, beside this server')
      }
      await stopped
    })
}

function sayHello(platform: RunningPlatform, config: Config, log: Logger): void {
  log.info(
    {
      url: platform.url,
      role: config.role,
      database: config.databaseUrl === undefined ? 'embedded' : 'DATABASE_URL',
      providers: config.providersFile ?? 'animatic',
    },
    config.providersFile === undefined
      ? 'Reelay is ready; with no other provider configured, every video is an animatic'
      : 'Reelay is ready',
  )
}

/**
 * Serves until a signal, or until the process cannot go on; then drains, for `drainMs` at most: what is not finished by then is
 * taken up by the next process. A second signal ends the process as soon as what providers have accepted is safe.
 */
export async function untilStopped(platform: RunningPlatform, log: Logger): Promise<void> {
  const reason = await new Promise<NodeJS.Signals | Error>((resolve) => {
    for (const signal of STOP_SIGNALS) process.once(signal, () => resolve(signal))
    platform.onLost(resolve)
  })
  if (reason instanceof Error) {
    log.fatal({ err: reason }, 'Reelay cannot go on')
    platform.giveUpDatabase()
  } else log.info({ signal: reason, withinMs: platform.drainMs }, 'stopping')
  const code = reason instanceof Error ? 1 : 0
  for (const signal of STOP_SIGNALS) process.once(signal, () => void endWhenSafe(platform, signal, log))
  const drained = setTimeout(() => {
    log.warn('not everything ended in time; the next start takes it up')
    process.exit(code)
  }, platform.drainMs)
  try {
    await platform[Symbol.asyncDispose]()
  } catch (error) {
    // With the database gone much cannot be closed in order; what is left is taken up by the next start.
    if (!(reason instanceof Error)) throw error
  } finally {
    // Not cleared: should a connection that nobody closes keep the process, it still ends in time.
    drained.unref()
    process.exitCode = code
  }
}

/** A start that has no answer yet is left in doubt; a job that a provider has accepted is not. */
async function endWhenSafe(platform: RunningPlatform, signal: NodeJS.Signals, log: Logger): Promise<void> {
  log.warn({ signal }, 'a second signal: ending as soon as every accepted job is in the journal or in the database')
  await platform.whenAcceptedAreSafe()
  process.exit(1)
}
