import process from 'node:process'
import { type Logger, pino } from 'pino'
import { LogDestination } from './log-destination.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Anything of the form of a key, wherever in a text it stands. */
const KEY_IN_TEXT = /rly_(live|test)_[A-Za-z0-9_-]+/g

/**
 * JSON lines on standard output. Nothing that could hold a key is logged to begin with; what is of a key's form all the
 * same (a message of a library, a URL) is cut before it is written.
 */
export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: withoutKeys } },
    new LogDestination(process.stdout.fd),
  )
}

export function withoutKeys(line: string): string {
  return line.includes('rly_') ? line.replace(KEY_IN_TEXT, 'rly_$1_…') : line
}
