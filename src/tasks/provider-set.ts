/**
 * The providers of this process and the routes to them, as configuration says at this moment. A reload replaces them while
 * tasks are under way: a provider that is gone from the configuration takes no new jobs, but is there for those that it
 * has, until they have ended.
 */
import type { Provider } from '../providers/provider.ts'
import { ActiveProvider } from './active-provider.ts'
import { type Route, Router } from './router.ts'

/** What configuration says. */
export interface ProviderPlan {
  readonly providers: readonly Provider[]
  /** By the model’s id; `*` for all others. */
  readonly routes: ReadonlyMap<string, Route>
  /** Those that test credits reach. */
  readonly free: readonly Provider[]
}

/** The plan without configuration: every model's videos, live or test, are made by the first of these that can. */
export function planOf(providers: readonly Provider[]): ProviderPlan {
  const route: Route = { providers: providers.map((provider) => ({ provider, weight: 1 })), strategy: 'ordered' }
  return { providers, routes: new Map([['*', route]]), free: providers.filter(({ isFree }) => isFree === true) }
}

export interface ProviderSetOptions {
  /** 0 ≤ x < 1. */
  readonly random?: () => number
  /** Told of a provider that was replaced or is gone, once no step works with it any more. */
  readonly release?: (provider: Provider) => void
}

export class ProviderSet {
  readonly #active = new Map<string, ActiveProvider>()
  readonly #random: () => number
  readonly #release: (provider: Provider) => void
  #router: Router
  #onAdded: (added: ActiveProvider) => void = () => {}

  constructor(plan: ProviderPlan, { random = Math.random, release = () => {} }: ProviderSetOptions = {}) {
    this.#random = random
    this.#release = release
    this.#router = this.#routerOf(plan)
    this.replace(plan)
  }

  get router(): Router {
    return this.#router
  }

  get all(): readonly ActiveProvider[] {
    return [...this.#active.values()]
  }

  /** By its name; one that is gone from the configuration is there for the jobs that it has. */
  find(name: string): Provider | undefined {
    return this.#active.get(name)?.provider
  }

  /** Calls back for each provider that was not there before, at a reload. */
  onAdded(callback: (added: ActiveProvider) => void): void {
    this.#onAdded = callback
  }

  /** Takes a new plan, whole. What is under way goes on. */
  replace(plan: ProviderPlan): void {
    this.#router = this.#routerOf(plan)
    const names = new Set(plan.providers.map(({ id }) => id))
    for (const active of this.#active.values()) active.isRetired = !names.has(active.provider.id)
    for (const provider of plan.providers) {
      const known = this.#active.get(provider.id)
      if (known !== undefined) {
        known.replace(provider)
        continue
      }
      const added = new ActiveProvider(provider, this.#release)
      this.#active.set(provider.id, added)
      this.#onAdded(added)
    }
  }

  /** Lets go of the providers that are gone from the configuration and have none of these open tasks. Returns their names. */
  forgetRetired(withOpenTasks: ReadonlySet<string>): string[] {
    const forgotten: string[] = []
    for (const [name, active] of this.#active) {
      if (!active.isRetired || !active.isIdle || withOpenTasks.has(name)) continue
      this.#active.delete(name)
      active.forget()
      forgotten.push(name)
    }
    return forgotten
  }

  #routerOf(plan: ProviderPlan): Router {
    return new Router({
      routes: plan.routes,
      free: plan.free,
      isWell: (id) => this.#active.get(id)?.breaker.state !== 'open',
      random: this.#random,
    })
  }
}
