import { createHash } from 'node:crypto'
import { access, constants, mkdir, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** Where the parts of one embedded database lie. */
export interface Layout {
  /** The real path of the directory that was asked for; everything but a long-path socket is inside. */
  readonly directory: string
  /** PGDATA. Appears by a rename, complete, or not at all. */
  readonly cluster: string
  /** Directory of the unix socket, mode 0700: who can enter it is who can log in. */
  readonly socketDirectory: string
  readonly log: string
}

/** The number in the socket's name. No TCP port is opened. */
export const SOCKET_PORT = 5432

/** Prefix of unfinished clusters; whatever carries it beside a finished one is litter. */
export const UNFINISHED_PREFIX = 'initdb-'

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero; the smaller serves both. */
const SOCKET_PATH_MAX_BYTES = 103

/** Half a SHA-256: no two data directories on one machine will share it. */
const HASH_HEX_DIGITS = 32

/** Creates `directory` (0700: it will hold customers' data) where it does not exist, and names what is in it. */
export async function prepareLayout(directory: string): Promise<Layout> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'directory_not_accessible',
      `Reelay cannot write to ${directory}. Run it as the user that owns this directory, or choose another one.`,
      { cause },
    )
  }
  const real = await realpath(directory)
  return {
    directory: real,
    cluster: join(real, 'cluster'),
    socketDirectory: socketDirectoryOf(real),
    log: join(real, 'postgres.log'),
  }
}

/**
 * Beside the cluster, or, when that path is too long for a socket, a short one derived from it alone, so that any
 * process that is given the same directory finds the same socket.
 */
function socketDirectoryOf(directory: string): string {
  const inside = join(directory, 'socket')
  if (Buffer.byteLength(join(inside, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_MAX_BYTES) return inside
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, HASH_HEX_DIGITS)
  return join(tmpdir(), `reelay-${digest}`)
}
