import { ConfigError } from '../config/config-error.ts'
import { ANIMATIC } from '../config/provider-config.ts'
import type { ProviderSettings, ReadProviderConfig } from '../config/read-provider-config.ts'
import type { FetchPolicy } from '../media/fetch-policy.ts'
import { ADAPTERS, type Adapter } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'
import type { AdapterSettings } from '../providers/upstream/adapter-settings.ts'
import { NO_KEY } from '../providers/upstream/upstream.ts'
import { type ProviderPlan, planOf } from '../tasks/provider-set.ts'
import type { RoutedProvider } from '../tasks/router.ts'

const SECOND_MS = 1_000

export interface ProviderPlansOptions {
  /** The renderer, in its lanes, in the order in which they are to be asked. */
  readonly animatic: readonly Provider[]
  readonly fetchPolicy: FetchPolicy
  /** Where a provider may call; absent where nothing is begun. */
  readonly callbackUrlOf?: (provider: string) => string | undefined
}

/** Makes plans from configuration, again and again while a process lives, and closes what it opened for them. */
export class ProviderPlans implements AsyncDisposable {
  readonly #options: ProviderPlansOptions
  /** Every key that a provider had in this process: its jobs can be followed with it after it was replaced. */
  readonly #keys = new Map<string, readonly string[]>()
  /** Where each provider of this process has its jobs, by its name. */
  readonly #places = new Map<string, string>()

  readonly #open = new Set<Provider & AsyncDisposable>()

  constructor(options: ProviderPlansOptions) {
    this.#options = options
  }

  /** Providers that were opened and are not closed. */
  get openCount(): number {
    return this.#open.size
  }

  /** Closes a provider of an earlier plan that no step works with any more; the renderer is no plan's own. */
  async close(provider: Provider): Promise<void> {
    for (const each of this.#open) {
      if (each !== provider) continue
      this.#open.delete(each)
      await each[Symbol.asyncDispose]()
    }
  }

  /** Forgets where a provider had its jobs, and its keys: it has none any more, so that its name may mean another one. */
  forget(name: string): void {
    const place = this.#places.get(name)
    if (place === undefined) return
    this.#places.delete(name)
    this.#keys.delete(place)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((provider) => this.close(provider)))
  }

  /**
   * Without a file, or with one that has no route, the renderer makes everything.
   * @throws ConfigError for settings that no provider can have; nothing stays open of them.
   */
  make(config: ReadProviderConfig | undefined): ProviderPlan {
    const before = new Set(this.#open)
    try {
      return this.#make(config)
    } catch (error) {
      for (const provider of this.#open) {
        // Never called, so it has nothing to wait for.
        if (!before.has(provider)) void this.close(provider)
      }
      throw error
    }
  }

  #make(config: ReadProviderConfig | undefined): ProviderPlan {
    const { animatic } = this.#options
    if (config === undefined) return planOf(animatic)
    for (const settings of config.providers) this.#assertStays(settings)
    const made = new Map(config.providers.map((settings) => [settings.name, this.#routed(settings)]))
    const routedBy = (name: string): RoutedProvider[] => {
      if (name === ANIMATIC) return animatic.map((provider) => ({ provider, weight: 1 }))
      const found = made.get(name)
      if (found === undefined) throw new Error(`there is no provider ${name}`)
      return [found]
    }
    const routes = Object.entries(config.models).map(
      ([model, { providers, strategy }]) => [model, { providers: providers.flatMap(routedBy), strategy }] as const,
    )
    for (const settings of config.providers) this.#places.set(settings.name, placeOf(settings))
    return {
      providers: [...animatic, ...[...made.values()].map(({ provider }) => provider)],
      routes: routes.length === 0 ? planOf(animatic).routes : new Map(routes),
      free: animatic,
    }
  }

  /** Jobs under way are asked after by their provider's name: at another address nobody would know them. */
  #assertStays(settings: ProviderSettings): void {
    const known = this.#places.get(settings.name)
    if (known === undefined || known === placeOf(settings)) return
    throw new ConfigError(
      `providers.${settings.name} cannot have another kind or baseUrl while this process runs, for its jobs are there; give the new one another name, or restart.`,
    )
  }

  #routed(settings: ProviderSettings): RoutedProvider {
    const adapter = ADAPTERS[settings.kind]
    if (adapter === undefined) throw new Error(`there is no adapter ${settings.kind}`)
    const { name, kind } = settings
    if (settings.callback && adapter.namesCallback !== true) {
      throw new ConfigError(`providers.${name}.callback cannot be true: jobs of kind ${kind} name no address to call.`)
    }
    const provider = created(adapter, this.#settingsOf(settings))
    this.#open.add(provider)
    if (settings.webhookSecret !== undefined && provider.parseWebhook === undefined) {
      throw new ConfigError(`providers.${name}.webhookSecret is for nothing: kind ${kind} sends no webhooks.`)
    }
    return { provider, weight: settings.weight }
  }

  #settingsOf({
    name,
    kind,
    timeoutSeconds,
    pollSeconds,
    apiKeys,
    workflow,
    ...settings
  }: ProviderSettings): AdapterSettings {
    const place = placeOf({ name, kind, baseUrl: settings.baseUrl })
    const former = this.#keys.get(place) ?? []
    const [first = NO_KEY, ...others] = apiKeys
    const keys = apiKeys.length + former.length === 0 ? [] : [...new Set([first, ...others, ...former])]
    this.#keys.set(place, keys)
    return {
      name,
      baseUrl: settings.baseUrl,
      apiKeys: keys,
      model: settings.model,
      concurrency: settings.concurrency,
      requestsPerMinute: settings.requestsPerMinute,
      timeoutMs: milliseconds(timeoutSeconds),
      pollEveryMs: milliseconds(pollSeconds),
      costMicroUsd: settings.costMicroUsd,
      sizeStep: settings.sizeStep,
      honoursIdempotencyKey: settings.honoursIdempotencyKey,
      webhookSecret: settings.webhookSecret,
      callbackUrl: settings.callback ? this.#options.callbackUrlOf?.(name) : undefined,
      workflow,
      fetchPolicy: this.#options.fetchPolicy,
    }
  }
}

function placeOf({ name, kind, baseUrl }: Pick<ProviderSettings, 'name' | 'kind' | 'baseUrl'>): string {
  return `${name}\n${kind}\n${baseUrl}`
}

/** Settings that do not fit an adapter are told in its own sentence. */
function created(adapter: Adapter, settings: AdapterSettings): Provider & AsyncDisposable {
  try {
    return adapter.create(settings)
  } catch (cause) {
    throw new ConfigError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * SECOND_MS)
}
