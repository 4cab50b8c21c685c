import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The places in a data directory, beside `postgres/`, which makes itself. */
export interface DataDirectory {
  /** Stored videos. */
  readonly media: string
  /** Work in progress; may be emptied while nothing runs. */
  readonly scratch: string
  /** Jobs that providers have accepted and the database does not have yet. Makes itself. */
  readonly journal: string
}

/**
 * Makes the data directory. Others may pass through it but not look into it: PostgreSQL refuses to run as root, and
 * where root cannot use a user namespace it runs as a user who must reach its own folder inside. Everything beside that
 * folder is closed to others.
 */
export async function makeDataDirectory(path: string): Promise<DataDirectory> {
  await mkdir(path, { recursive: true, mode: 0o711 })
  const places = { media: join(path, 'media'), scratch: join(path, 'scratch') }
  for (const place of Object.values(places)) await mkdir(place, { recursive: true, mode: 0o700 })
  return { ...places, journal: join(path, 'journal') }
}
