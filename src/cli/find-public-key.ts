import type { KeyObject } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { readConfig } from '../config/read-config.ts'
import { installationKey } from '../media/installation-key.ts'
import { isMissing } from '../media/is-missing.ts'
import { publicKeySchema, readPublicKey } from '../media/public-key.ts'
import { CommandError } from './command-error.ts'
import { fetchJson } from './fetch-json.ts'
import { withDatabase } from './with-database.ts'

const WELL_KNOWN = '/.well-known/reelay-signing-key.json'

/**
 * The key to verify with: the one that was given, else the server's, else that of the installation on this machine.
 * Whose key it is decides what is confirmed, so none is taken from beside the file.
 */
export async function findPublicKey({ key, url }: { key?: string; url?: string }): Promise<KeyObject> {
  if (key !== undefined) return readPublicKey(key) ?? (await keyInFile(key))
  if (url !== undefined) return keyOf(await fetchJson(`${url}${WELL_KNOWN}`, "The server's public key"), url)
  if (await hasInstallation()) return withDatabase(async ({ pool }) => (await installationKey(pool)).publicKey)
  throw new CommandError(
    `Say whose video it should be: --url with the server that made it, or --key with the public key, which a server tells at ${WELL_KNOWN}.`,
  )
}

/** The document that a server tells, saved. */
async function keyInFile(path: string): Promise<KeyObject> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (!isMissing(cause)) throw cause
    throw new CommandError(`--key "${path}" is neither a public key of 43 characters nor a file.`, { cause })
  })
  try {
    return keyOf(JSON.parse(text), path)
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError(`${path} is no public key document of Reelay.`, { cause })
  }
}

function keyOf(document: unknown, source: string): KeyObject {
  const parsed = publicKeySchema.safeParse(document)
  const key = parsed.success ? readPublicKey(parsed.data.public_key) : undefined
  if (key === undefined) throw new CommandError(`${source} has no public key document of Reelay.`)
  return key
}

/** Whether there is one to ask: the embedded database must not be made for a question. */
async function hasInstallation(): Promise<boolean> {
  const { databaseUrl, dataDirectory } = readConfig(process.env)
  if (databaseUrl !== undefined) return true
  return access(join(dataDirectory, 'postgres')).then(
    () => true,
    () => false,
  )
}
