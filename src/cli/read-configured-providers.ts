import process from 'node:process'
import { type Catalog, loadCatalog } from '../catalog/load.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { usualProvidersFile } from '../config/read-config.ts'
import {
  type KnownNames,
  type ReadProviderConfig,
  readDeadlines,
  readProviderConfig,
} from '../config/read-provider-config.ts'
import { ADAPTERS } from '../providers/index.ts'
import { DEFAULT_DEADLINES, type Deadlines } from '../tasks/deadlines.ts'

/** The configured providers; `undefined` where there is no file. Throws a `ConfigError` for a file that makes no sense. */
export async function readConfiguredProviders(
  { providersFile, publicUrl }: Pick<Config, 'providersFile' | 'publicUrl'>,
  catalog: Catalog,
): Promise<ReadProviderConfig | undefined> {
  // One that was not there when the process began may be there by now.
  const file = providersFile ?? usualProvidersFile()
  if (file === undefined) return undefined
  const found = await readProviderConfig(file, { environment: process.env, ...namesKnownTo(catalog) })
  // One of another kind is told that it has none.
  const calls = found.providers.find(({ kind, callback }) => callback && ADAPTERS[kind]?.namesCallback === true)
  const unreachable = publicUrl === undefined ? calls : undefined
  if (unreachable === undefined) return found
  throw new ConfigError(
    `${file}: providers.${unreachable.name}.callback needs REELAY_PUBLIC_URL: nobody outside can call 127.0.0.1.`,
  )
}

/** How long tasks may take, as the file says, which may name secrets that this process was not given. */
export async function readConfiguredDeadlines({ providersFile }: Pick<Config, 'providersFile'>): Promise<Deadlines> {
  const file = providersFile ?? usualProvidersFile()
  return file === undefined ? DEFAULT_DEADLINES : await readDeadlines(file, namesKnownTo(loadCatalog()))
}

function namesKnownTo(catalog: Catalog): KnownNames {
  return { kinds: Object.keys(ADAPTERS), models: modelsOf(catalog) }
}

/** The ids of all models, each once. */
export function modelsOf(catalog: Catalog): string[] {
  return [...new Set([...catalog.values()].flatMap((models) => [...models.keys()]))]
}
