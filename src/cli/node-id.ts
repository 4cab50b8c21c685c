import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The name under which this data directory's worker leases tasks. It survives restarts, so that a new process can free
 * at once what a killed one held.
 */
export async function nodeId(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, 'node-id')
  const fresh = join(dataDirectory, `node-id.${process.pid}`)
  await writeFile(fresh, `node_${randomBytes(8).toString('hex')}\n`)
  // A link fails if the name is taken, and never shows half a file.
  await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(fresh)
  return (await readFile(path, 'utf8')).trim()
}
