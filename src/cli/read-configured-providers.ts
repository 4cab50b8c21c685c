import process from 'node:process'
import type { Catalog } from '../catalog/load.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import { usualProvidersFile } from '../config/read-config.ts'
import { type ReadProviderConfig, readProviderConfig } from '../config/read-provider-config.ts'
import { ADAPTERS } from '../providers/index.ts'

/** The configured providers; `undefined` where there is no file. Throws a `ConfigError` for a file that makes no sense. */
export async function readConfiguredProviders(
  { providersFile, publicUrl }: Pick<Config, 'providersFile' | 'publicUrl'>,
  catalog: Catalog,
): Promise<ReadProviderConfig | undefined> {
  // One that was not there when the process began may be there by now.
  const file = providersFile ?? usualProvidersFile()
  if (file === undefined) return undefined
  const found = await readProviderConfig(file, {
    environment: process.env,
    kinds: Object.keys(ADAPTERS),
    models: modelsOf(catalog),
  })
  const unreachable = publicUrl === undefined ? found.providers.find(({ callback }) => callback) : undefined
  if (unreachable === undefined) return found
  throw new ConfigError(
    `${file}: providers.${unreachable.name}.callback needs REELAY_PUBLIC_URL: nobody outside can call 127.0.0.1.`,
  )
}

/** The ids of all models, each once. */
export function modelsOf(catalog: Catalog): string[] {
  return [...new Set([...catalog.values()].flatMap((models) => [...models.keys()]))]
}
