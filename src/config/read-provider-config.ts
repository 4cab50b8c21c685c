import { dirname, resolve } from 'node:path'
import type { Json } from '../canonical/json.ts'
import { ConfigError } from './config-error.ts'
import { describeProblem } from './describe-problem.ts'
import { JsonFault, parseConfigJson } from './parse-config-json.ts'
import {
  ANIMATIC,
  type ProviderConfig,
  type ProviderEntry,
  providerConfigJsonSchema,
  providerConfigSchema,
} from './provider-config.ts'
import { readRegularFile } from './read-regular-file.ts'
import { readSecret, type SecretSource } from './read-secret.ts'

/** A provider of the file, with its secrets. */
export interface ProviderSettings extends Omit<ProviderEntry, 'apiKey' | 'webhookSecret' | 'workflow'> {
  readonly name: string
  /** The first is used for new jobs. Empty where the provider wants none. */
  readonly apiKeys: readonly string[]
  readonly webhookSecret: string | undefined
  readonly workflow: (NonNullable<ProviderEntry['workflow']> & { readonly graph: Json }) | undefined
}

export interface ReadProviderConfig extends Pick<ProviderConfig, 'models' | 'deadlines'> {
  /** The file that was read. */
  readonly path: string
  readonly providers: readonly ProviderSettings[]
  readonly moderation: Omit<ProviderConfig['moderation'], 'endpoint'> & {
    readonly endpoint:
      | (Omit<NonNullable<ProviderConfig['moderation']['endpoint']>, 'apiKey'> & {
          readonly apiKey: string | undefined
        })
      | undefined
  }
}

export interface ReadOptions extends KnownNames {
  readonly environment: SecretSource['environment']
}

export interface KnownNames {
  /** The kinds of providers that there are adapters for. */
  readonly kinds: readonly string[]
  /** The ids of all models in the catalog. */
  readonly models: readonly string[]
}

/** A file has some dozen entries at most. */
const MAX_FILE_BYTES = 1024 * 1024

/** More lines than this nobody reads at once. */
const MAX_PROBLEMS = 10

/**
 * Reads the file that names providers and routes, whole or not at all: what is wrong in it, or contradicts itself, throws
 * a `ConfigError` that names each place, its value and what is allowed there. Secrets are in no message.
 */
export async function readProviderConfig(path: string, options: ReadOptions): Promise<ReadProviderConfig> {
  const config = parsedConfig(path, await readJson(path), options)
  const { providers, models, moderation, deadlines } = config
  const source = { file: path, environment: options.environment }
  const { endpoint } = moderation
  return {
    path,
    models,
    deadlines,
    providers: await Promise.all(Object.entries(providers).map(([name, entry]) => settingsOf(name, entry, source))),
    moderation: {
      ...moderation,
      endpoint:
        endpoint === undefined
          ? undefined
          : { ...endpoint, apiKey: await optionalSecret(endpoint.apiKey, 'moderation.endpoint.apiKey', source) },
    },
  }
}

/** The deadlines of the file, without its secrets. Throws as `readProviderConfig` does. */
export async function readDeadlines(path: string, known: KnownNames): Promise<ProviderConfig['deadlines']> {
  return parsedConfig(path, await readJson(path), known).deadlines
}

function parsedConfig(path: string, file: Json, options: KnownNames): ProviderConfig {
  const { kinds } = options
  const parsed = providerConfigSchema(kinds).safeParse(file)
  const problems = parsed.success
    ? [...problemsOf(parsed.data, options)]
    : parsed.error.issues.map((issue) => describeProblem(issue, { file, schema: providerConfigJsonSchema(kinds) }))
  if (parsed.success && problems.length === 0) return parsed.data
  const [first, ...others] = problems.slice(0, MAX_PROBLEMS)
  throw new ConfigError([`${path}: ${first}.`, ...others.map((problem) => `  And ${problem}.`)].join('\n'))
}

/** `wantedBy`: who names the file, where it is not the configuration itself. */
async function readJson(path: string, wantedBy?: string): Promise<Json> {
  const bytes = await readRegularFile(path).catch((cause: unknown) => {
    const wanted = wantedBy === undefined ? path : `${wantedBy} wants the file ${path}, which`
    throw new ConfigError(`${wanted} cannot be read${codeOf(cause)}.`, { cause })
  })
  if (bytes.length > MAX_FILE_BYTES) throw new ConfigError(`${path} is larger than ${MAX_FILE_BYTES} bytes.`)
  try {
    // Leaves out the mark that some editors put before the first character.
    return parseConfigJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    if (cause instanceof JsonFault) throw new ConfigError(`${path} is not JSON: ${cause.message}.`, { cause })
    throw new ConfigError(`${path} is not JSON: it is not in UTF-8.`, { cause })
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
}

/** What the schema cannot say. */
function* problemsOf({ providers, models }: ProviderConfig, options: KnownNames): Generator<string> {
  for (const [name, { kind, workflow }] of Object.entries(providers)) {
    if (name === ANIMATIC || name.startsWith(`${ANIMATIC}-`)) {
      yield `providers cannot have a "${name}": that is the renderer, which is always there`
    }
    if (kind === 'comfyui' && workflow === undefined) yield `providers.${name}.workflow is missing: a comfyui needs one`
    if (kind !== 'comfyui' && workflow !== undefined) yield `providers.${name}.workflow is for kind comfyui only`
  }
  const names = [...Object.keys(providers), ANIMATIC]
  for (const [model, route] of Object.entries(models)) {
    if (model !== '*' && !options.models.includes(model)) {
      yield `models cannot have a ${JSON.stringify(model)}, which is no model of the catalog; allowed: *, ${options.models.join(', ')}`
    }
    for (const [index, name] of route.providers.entries()) {
      const place = `models.${model}.providers[${index}]`
      if (!names.includes(name)) {
        yield `${place} cannot be ${JSON.stringify(name)}; allowed: ${names.join(', ')}`
      } else if (route.providers.indexOf(name) !== index) {
        yield `${place} is "${name}", which is there already`
      }
    }
  }
  if (Object.keys(providers).length > 0 && Object.keys(models).length === 0) {
    const [first] = names
    yield `models is missing: nothing would be made by any provider; for instance {"*": {"providers": ["${first}"]}}`
  }
}

async function settingsOf(
  name: string,
  { apiKey, webhookSecret, workflow, ...entry }: ProviderEntry,
  source: SecretSource,
): Promise<ProviderSettings> {
  const place = `providers.${name}`
  const keys = apiKey === undefined ? [] : [apiKey].flat()
  return {
    ...entry,
    name,
    apiKeys: await Promise.all(keys.map((key) => readSecret(key, `${place}.apiKey`, source))),
    webhookSecret: await optionalSecret(webhookSecret, `${place}.webhookSecret`, source),
    workflow:
      workflow === undefined
        ? undefined
        : {
            ...workflow,
            graph: await readJson(
              resolve(dirname(source.file), workflow.file),
              `${source.file}: ${place}.workflow.file`,
            ),
          },
  }
}

async function optionalSecret(
  secret: string | undefined,
  place: string,
  source: SecretSource,
): Promise<string | undefined> {
  return secret === undefined ? undefined : await readSecret(secret, place, source)
}
