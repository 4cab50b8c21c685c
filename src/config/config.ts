import type { Bucket } from '../canonical/bucket.ts'
import type { LogLevel } from '../observe/logger.ts'

export const ROLES = ['all', 'api', 'worker'] as const
export type Role = (typeof ROLES)[number]

export const MIGRATION_MODES = ['apply', 'check'] as const
export type MigrationMode = (typeof MIGRATION_MODES)[number]

/** What one process is to do, read from the environment once, at its start. */
export interface Config {
  readonly host: string
  readonly port: number
  /** Where customers reach this server, without a slash at the end: the start of every link. `undefined`: as it listens. */
  readonly publicUrl: string | undefined
  /** Origins of browsers' pages that may call the APIs, e.g. `https://app.example.com`; `*` stands for all. */
  readonly corsOrigins: readonly string[]
  /** Absolute path of the one directory that holds everything. */
  readonly dataDirectory: string
  /** The bucket that media lie in; `undefined`: they lie in a folder. */
  readonly store: Bucket | undefined
  /** Absolute path of a folder for media that machines share; `undefined`: the one in the data directory. */
  readonly mediaDirectory: string | undefined
  /** `undefined`: the embedded PostgreSQL in the data directory. */
  readonly databaseUrl: string | undefined
  /** Connections to the database that this process has at most for its statements; one more listens. */
  readonly databaseConnections: number
  /** Whether a start applies missing migrations, or refuses to start without them. */
  readonly migrations: MigrationMode
  /** Where the nodes count requests together; `undefined`: each in its own memory. */
  readonly redisUrl: string | undefined
  /** Networks in CIDR notation that untrusted URLs may reach although they are not public. */
  readonly allowNets: readonly string[]
  readonly role: Role
  readonly bootstrap: Bootstrap | undefined
  /** Absolute path of the file that names providers and routes; `undefined`: the renderer makes everything. */
  readonly providersFile: string | undefined
  readonly metricsToken: string | undefined
  readonly logLevel: LogLevel
  /** Videos rendered at once by this process. */
  readonly renderConcurrency: number
  /** From a signal to stop until the process ends, at the latest. */
  readonly drainSeconds: number
}

/** The first account, for automation. */
export interface Bootstrap {
  /** Its live key. */
  readonly key: string
  readonly credits: bigint
}
