import type { GenerationRequest } from '../canonical/generation.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Provider, ProviderAbilities } from '../providers/provider.ts'

/** A provider in a route. */
export interface RoutedProvider {
  readonly provider: Provider
  /** Its share where the route is weighted. */
  readonly weight: number
}

/** Who makes a model's videos. */
export interface Route {
  /** In order of preference. */
  readonly providers: readonly RoutedProvider[]
  readonly strategy: 'ordered' | 'weighted'
}

export interface RouterOptions {
  /** By the model's id; `*` for all others. */
  readonly routes: ReadonlyMap<string, Route>
  /** Those that cost nobody anything: the only ones that test credits reach. */
  readonly free: readonly Provider[]
  /** Whether new jobs may be sent to a provider now, as far as this process knows. */
  readonly isWell: (id: string) => boolean
  /** 0 ≤ x < 1. */
  readonly random: () => number
}

export interface RouteQuestion {
  readonly mode: WalletMode
  readonly request: GenerationRequest
  /** Providers that are not to be asked (again). */
  readonly except?: ReadonlySet<string>
}

/** Chooses a provider for a request: among those of the model's route that can take it. */
export class Router {
  readonly #options: RouterOptions

  constructor(options: RouterOptions) {
    this.#options = options
  }

  /**
   * The provider that is to make it; `undefined` if none can. Those that are well come first; if none is, the one that
   * would be asked anyway: it may be well again by the time that it is its turn.
   */
  route(question: RouteQuestion): Provider | undefined {
    const { isWell } = this.#options
    const able = this.#candidates(question)
    const well = able.filter(({ provider }) => isWell(provider.id))
    const choice = well.length > 0 ? well : able
    return this.#strategyOf(question) === 'weighted' ? this.#draw(choice) : choice[0]?.provider
  }

  /** Those that a request's model is made by, whatever of it they can take: the route's, or for test credits the free ones. */
  providersFor({
    mode,
    request,
  }: {
    mode: WalletMode
    request: Pick<GenerationRequest, 'model'>
  }): readonly Provider[] {
    if (mode === 'test') return this.#options.free
    return this.#routeOf(request).providers.map(({ provider }) => provider)
  }

  /** A provider that is well, other than those excepted: where a task can go that another one does not take. */
  alternative(question: RouteQuestion): Provider | undefined {
    return this.#candidates(question).find(({ provider }) => this.#options.isWell(provider.id))?.provider
  }

  #candidates({ mode, request, except }: RouteQuestion): RoutedProvider[] {
    const all =
      mode === 'test'
        ? this.#options.free.map((provider) => ({ provider, weight: 1 }))
        : this.#routeOf(request).providers
    return all.filter(({ provider }) => except?.has(provider.id) !== true && canTake(provider, request))
  }

  #strategyOf({ mode, request }: RouteQuestion): Route['strategy'] {
    return mode === 'test' ? 'ordered' : this.#routeOf(request).strategy
  }

  #routeOf({ model }: Pick<GenerationRequest, 'model'>): Route {
    const { routes } = this.#options
    return routes.get(model) ?? routes.get('*') ?? { providers: [], strategy: 'ordered' }
  }

  #draw(choice: readonly RoutedProvider[]): Provider | undefined {
    let left = this.#options.random() * choice.reduce((sum, { weight }) => sum + weight, 0)
    for (const { provider, weight } of choice) {
      left -= weight
      if (left < 0) return provider
    }
    return choice[0]?.provider
  }
}

/** What is known of a request before its files are: its length and resolution may be those of its source. */
export interface RequestOutline extends Pick<GenerationRequest, 'operation' | 'mode' | 'aspectRatio'> {
  readonly durationSeconds?: number | undefined
  readonly resolution?: GenerationRequest['resolution'] | undefined
  readonly references: readonly Pick<GenerationRequest['references'][number], 'role'>[]
}

/** One property of a request, and whether abilities cover it. */
type Cover = (abilities: ProviderAbilities, outline: RequestOutline) => boolean

const COVERS = [
  ['operation', ({ operations }, { operation }) => operations.includes(operation)],
  ['references', ({ roles }, { references }) => references.every(({ role }) => roles.includes(role))],
  ['mode', ({ modes }, { mode }) => modes === undefined || modes.includes(mode)],
  ['resolution', ({ resolutions }, { resolution }) => resolution === undefined || resolutions.includes(resolution)],
  ['aspectRatio', ({ aspectRatios }, { aspectRatio }) => aspectRatios.includes(aspectRatio)],
  [
    'durationSeconds',
    ({ durationSeconds: { min, max } }, { durationSeconds }) =>
      durationSeconds === undefined || (durationSeconds >= min && durationSeconds <= max),
  ],
] as const satisfies readonly (readonly [property: string, covers: Cover])[]

/** A property of a request that providers declare in their abilities. */
export type CoveredProperty = (typeof COVERS)[number][0]

/** The properties of a request that a provider's abilities do not cover. */
export function uncovered({ abilities }: Pick<Provider, 'abilities'>, outline: RequestOutline): CoveredProperty[] {
  return COVERS.filter(([, covers]) => !covers(abilities, outline)).map(([property]) => property)
}

/** Whether a provider can make what is asked for. */
export function canTake(provider: Provider, request: GenerationRequest): boolean {
  return (
    COVERS.every(([, covers]) => covers(provider.abilities, request)) &&
    (provider.takes === undefined || provider.takes(request))
  )
}
