import { lstat, stat } from 'node:fs/promises'

/**
 * Whether a socket's directory is there, belongs to one of `owners`, and is closed to all others. One in the shared temporary
 * directory could have been put there by another user, who would then be asked in place of our PostgreSQL, so it is looked at
 * before anything is started in it or connected to in it.
 */
export async function isClosedDirectory(path: string, owners: readonly (number | undefined)[]): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  return found?.isDirectory() === true && owners.includes(found.uid) && (found.mode & 0o077) === 0
}

/** Users who may have started the PostgreSQL of a data directory: this one, and the one that the directory belongs to. */
export async function ownersOf(directory: string): Promise<(number | undefined)[]> {
  return [process.getuid?.(), (await stat(directory)).uid]
}
