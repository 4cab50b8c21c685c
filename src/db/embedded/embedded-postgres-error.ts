/** What kept the embedded PostgreSQL from being used. Each has one remedy, and the message names it. */
export type EmbeddedPostgresErrorCode =
  /** There are no binaries for this operating system or processor. */
  | 'unsupported_platform'
  /** The optional npm package with the binaries is not installed. */
  | 'binaries_missing'
  /** The binaries are there and do not run. */
  | 'binaries_unusable'
  /** The directory was made by another major version, or is not a PostgreSQL directory at all. */
  | 'foreign_directory'
  /** The user that PostgreSQL must run as may not enter or own the directory. */
  | 'directory_not_accessible'
  /** `initdb`, or the server itself, ended with an error; the message carries the end of its log. */
  | 'start_failed'
  /** It neither answered nor ended in the time allowed. */
  | 'start_timed_out'
  /** Another server owns this data directory. */
  | 'data_directory_in_use'

/** A fault of the embedded database, as sentences for the operator: what was found, and what to do. */
export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresErrorCode

  constructor(code: EmbeddedPostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EmbeddedPostgresError'
    this.code = code
  }
}

/** A second server was started on a data directory that has one. CLI commands may work beside a server; servers may not. */
export class DataDirectoryInUse extends EmbeddedPostgresError {
  constructor(directory: string, holder: string | undefined) {
    const who = holder === undefined ? 'Another Reelay server' : `Another Reelay server (${holder})`
    super(
      'data_directory_in_use',
      `${who} is running on ${directory}. Stop it, choose another data directory, or set DATABASE_URL to run several servers on one database.`,
    )
    this.name = 'DataDirectoryInUse'
  }
}
