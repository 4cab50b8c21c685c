import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from './config-error.ts'

const FOLDER_SCHEME = /^file:/

/** Without a host, which would be another machine. */
const LOCAL_FOLDER = /^file:\/\/\/./

/** The folder that `REELAY_STORE=file:///…` names, as an absolute path; `undefined` where it names none. */
export function readMediaDirectory(store: string | undefined): string | undefined {
  if (store === undefined || !FOLDER_SCHEME.test(store)) return undefined
  const path = LOCAL_FOLDER.test(store) ? pathOf(store) : undefined
  if (path !== undefined && isAbsolute(path)) return path
  throw new ConfigError(
    `REELAY_STORE=${store} names no folder: an absolute path of this machine is written file:///srv/reelay-media.`,
  )
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    // Not a path in a URL's writing: said by the caller.
    return undefined
  }
}
