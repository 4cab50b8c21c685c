import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { LOG_LEVELS, type LogLevel } from '../observe/logger.ts'
import { type Bootstrap, type Config, MIGRATION_MODES, ROLES, type Role } from './config.ts'
import { ConfigError } from './config-error.ts'
import { readBucket } from './read-bucket.ts'
import { readMediaDirectory } from './read-media-directory.ts'

type Environment = Readonly<Record<string, string | undefined>>

export const DEFAULT_PORT = 8787
export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_DATA_DIRECTORY = './data'
/** Five such processes fit a PostgreSQL with its usual limit of 100. */
const DEFAULT_DATABASE_CONNECTIONS = '18'

export const DEFAULT_PROVIDERS_FILE = './reelay.config.json'

/** A start may take 30 s, saving what came of it as long as the database does, and closing the database some seconds. */
export const DEFAULT_DRAIN_SECONDS = 45

/** Longer than this no orchestrator waits. */
const MAX_DRAIN_SECONDS = 3_600

/** Credits of the first account where none are named: 10,000 dollars' worth of pretend money on a laptop. */
const DEFAULT_BOOTSTRAP_CREDITS = 1_000_000n

const LIVE_KEY = /^rly_live_[A-Za-z0-9_-]{32,128}$/

/** Bind addresses that are no address to send anybody to. */
const WILDCARD_HOSTS = ['0.0.0.0', '::', '[::]', '*']

/**
 * Reads the environment, all of it, here and nowhere else. An empty variable is an absent one. A value that makes no
 * sense, or two that contradict each other, throw a `ConfigError` whose sentence names them.
 */
export function readConfig(environment: Environment): Config {
  const env = (name: string) => (environment[name] === '' ? undefined : environment[name])
  const role = oneOf('REELAY_ROLE', env('REELAY_ROLE') ?? 'all', ROLES)
  const host = env('REELAY_HOST') ?? DEFAULT_HOST
  const port = wholeNumber('REELAY_PORT', env('REELAY_PORT') ?? String(DEFAULT_PORT), { min: 0, max: 65_535 })
  const databaseUrl = readDatabaseUrl(env('DATABASE_URL'))
  refuseLonelyRole(role, databaseUrl)
  refuseOwnStore(role, env('REELAY_STORE'))
  const mediaDirectory = readMediaDirectory(env('REELAY_STORE'))
  const cores = availableParallelism()
  return {
    host,
    port,
    publicUrl: readPublicUrl(env('REELAY_PUBLIC_URL'), { host, role }),
    corsOrigins: readOrigins(env('REELAY_CORS_ORIGINS')),
    dataDirectory: resolve(env('REELAY_DATA_DIR') ?? DEFAULT_DATA_DIRECTORY),
    store: readBucket({
      REELAY_STORE: mediaDirectory === undefined ? env('REELAY_STORE') : undefined,
      REELAY_S3_ENDPOINT: env('REELAY_S3_ENDPOINT'),
      REELAY_S3_REGION: env('REELAY_S3_REGION'),
      REELAY_S3_PATH_STYLE: env('REELAY_S3_PATH_STYLE'),
      AWS_ACCESS_KEY_ID: env('AWS_ACCESS_KEY_ID'),
      AWS_SECRET_ACCESS_KEY: env('AWS_SECRET_ACCESS_KEY'),
      AWS_SESSION_TOKEN: env('AWS_SESSION_TOKEN'),
    }),
    mediaDirectory,
    databaseUrl,
    databaseConnections: wholeNumber(
      'REELAY_DATABASE_CONNECTIONS',
      env('REELAY_DATABASE_CONNECTIONS') ?? DEFAULT_DATABASE_CONNECTIONS,
      { min: 10, max: 500 },
    ),
    migrations: oneOf('REELAY_MIGRATE', env('REELAY_MIGRATE') ?? 'apply', MIGRATION_MODES),
    redisUrl: readRedisUrl(env('REDIS_URL')),
    allowNets: readNets(env('REELAY_ALLOW_NETS')),
    role,
    providersFile: resolved(env('REELAY_CONFIG')) ?? usualProvidersFile(),
    bootstrap: readBootstrap(env('REELAY_BOOTSTRAP_KEY'), env('REELAY_BOOTSTRAP_CREDITS')),
    metricsToken: env('REELAY_METRICS_TOKEN'),
    logLevel: oneOf<LogLevel>('REELAY_LOG_LEVEL', env('REELAY_LOG_LEVEL') ?? 'info', LOG_LEVELS),
    renderConcurrency: wholeNumber(
      'REELAY_RENDER_CONCURRENCY',
      env('REELAY_RENDER_CONCURRENCY') ?? String(Math.max(1, cores - 1)),
      { min: 1, max: 64 },
    ),
    drainSeconds: wholeNumber('REELAY_DRAIN_SECONDS', env('REELAY_DRAIN_SECONDS') ?? String(DEFAULT_DRAIN_SECONDS), {
      min: 1,
      max: MAX_DRAIN_SECONDS,
    }),
  }
}

function resolved(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path)
}

/** The providers' file that needs no naming: it lies where the process was started, if there is one. */
export function usualProvidersFile(): string | undefined {
  const usual = resolve(DEFAULT_PROVIDERS_FILE)
  return existsSync(usual) ? usual : undefined
}

function refuseLonelyRole(role: Role, databaseUrl: string | undefined): void {
  if (role === 'all' || databaseUrl !== undefined) return
  throw new ConfigError(
    `REELAY_ROLE=${role} needs DATABASE_URL: the embedded database serves one process, so nobody would do the rest. ` +
      'Set DATABASE_URL, or leave REELAY_ROLE at all.',
  )
}

/** What a worker stores in a folder of its own, no API finds. */
function refuseOwnStore(role: Role, store: string | undefined): void {
  if (role === 'all' || store !== undefined) return
  throw new ConfigError(
    `REELAY_ROLE=${role} needs REELAY_STORE: the processes of one installation share one store. ` +
      'Set REELAY_STORE to s3://<bucket>, or to file:///<folder> where all of them reach one folder.',
  )
}

function readDatabaseUrl(url: string | undefined): string | undefined {
  if (url === undefined || /^postgres(ql)?:\/\//.test(url)) return url
  throw new ConfigError('DATABASE_URL must begin with postgres:// or postgresql://.')
}

function readRedisUrl(url: string | undefined): string | undefined {
  if (url === undefined || (/^rediss?:\/\//.test(url) && URL.canParse(url))) return url
  throw new ConfigError('REDIS_URL must be an address that begins with redis:// or rediss://.')
}

function readNets(list: string | undefined): string[] {
  const nets = (list ?? '').split(',').map((net) => net.trim())
  const wrong = nets.find((net) => net !== '' && !isNet(net))
  if (wrong === undefined) return nets.filter((net) => net !== '')
  throw new ConfigError(
    `REELAY_ALLOW_NETS names ${wrong}, which is not a network such as 127.0.0.0/8 or fd00::/8; separate several by commas.`,
  )
}

/** Four decimal parts for IPv4: `10/8` would otherwise be read as 0.0.0.10. */
function isNet(text: string): boolean {
  if (!text.includes(':')) return ipaddr.IPv4.isValidCIDRFourPartDecimal(text)
  return !text.includes('.') && ipaddr.IPv6.isValidCIDR(text)
}

function readPublicUrl(url: string | undefined, { host, role }: { host: string; role: Role }): string | undefined {
  if (url === undefined) {
    if (role === 'worker') {
      throw new ConfigError('REELAY_ROLE=worker needs REELAY_PUBLIC_URL: its callbacks carry links to videos.')
    }
    if (!WILDCARD_HOSTS.includes(host)) return undefined
    throw new ConfigError(
      `REELAY_HOST=${host} needs REELAY_PUBLIC_URL: links to videos must name an address that customers can reach.`,
    )
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isAddress = parsed !== undefined && ['http:', 'https:'].includes(parsed.protocol)
  if (!isAddress || parsed.search !== '' || parsed.hash !== '' || parsed.username !== '') {
    throw new ConfigError(`REELAY_PUBLIC_URL=${url} is not an http or https address without user, query or fragment.`)
  }
  return url.replace(/\/+$/, '')
}

/** Browsers send an origin without a slash at its end, and in lower case. */
function readOrigins(list: string | undefined): string[] {
  const origins = (list ?? '').split(',').map((origin) => origin.trim())
  const wrong = origins.find((origin) => origin !== '' && origin !== '*' && !isOrigin(origin))
  if (wrong === undefined) return origins.filter((origin) => origin !== '')
  throw new ConfigError(
    `REELAY_CORS_ORIGINS names ${wrong}, which is neither * nor an origin such as https://app.example.com; separate several by commas.`,
  )
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text)
}

function readBootstrap(key: string | undefined, credits: string | undefined): Bootstrap | undefined {
  if (key === undefined) {
    if (credits === undefined) return undefined
    throw new ConfigError(
      'REELAY_BOOTSTRAP_CREDITS needs REELAY_BOOTSTRAP_KEY: there is no first account to give them to.',
    )
  }
  if (!LIVE_KEY.test(key)) {
    throw new ConfigError('REELAY_BOOTSTRAP_KEY must be rly_live_ and 32 to 128 letters, digits, - or _.')
  }
  if (credits !== undefined && !/^\d{1,12}$/.test(credits)) {
    throw new ConfigError(`REELAY_BOOTSTRAP_CREDITS=${credits} is not a whole number from 0 to 999999999999.`)
  }
  return { key, credits: credits === undefined ? DEFAULT_BOOTSTRAP_CREDITS : BigInt(credits) }
}

function oneOf<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === value)
  if (word === undefined) throw new ConfigError(`${name}=${value} is not one of ${words.join(', ')}.`)
  return word
}

function wholeNumber(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new ConfigError(`${name}=${text} is not a whole number from ${min} to ${max}.`)
}
