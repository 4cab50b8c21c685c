import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from './config-error.ts'

const FOLDER_SCHEME = /^file:/i

/** The folder that `REELAY_STORE=file:///…` names, as an absolute path; `undefined` where it names none. */
export function readMediaDirectory(store: string | undefined): string | undefined {
  if (store === undefined || !FOLDER_SCHEME.test(store)) return undefined
  const path = pathOf(store)
  if (path !== undefined && isAbsolute(path) && path.length > 1) return path
  throw new ConfigError(
    `REELAY_STORE=${store} names no folder: an absolute path of this machine is written file:///srv/reelay-media.`,
  )
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    // Another host, or no URL: said by the caller.
    return undefined
  }
}
