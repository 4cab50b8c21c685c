import type { Provider } from '../providers/provider.ts'
import { CircuitBreaker } from './circuit-breaker.ts'

/** A step's hold on a provider: it is not closed before the step is over. */
export interface ProviderUse extends Disposable {
  readonly provider: Provider
}

/**
 * One provider, for as long as this process has to do with it. A reload replaces what stands behind its name; the former one is
 * released once the last step that works with it is over.
 */
export class ActiveProvider {
  readonly breaker = new CircuitBreaker()
  /** Gone from the configuration: it begins nothing new. */
  isRetired = false
  /** Nothing is left of it: its lane ends. */
  isForgotten = false
  readonly #uses = new Map<Provider, number>()
  readonly #release: (provider: Provider) => void
  #provider: Provider

  constructor(provider: Provider, release: (provider: Provider) => void) {
    this.#provider = provider
    this.#release = release
  }

  /** As it is configured now: always to be read anew. */
  get provider(): Provider {
    return this.#provider
  }

  /** Whether no step works with it. */
  get isIdle(): boolean {
    return this.#uses.size === 0
  }

  /** Begins a step with the provider as it is now; dispose of it when the step is over. */
  enter(): ProviderUse {
    const provider = this.#provider
    this.#uses.set(provider, (this.#uses.get(provider) ?? 0) + 1)
    return { provider, [Symbol.dispose]: () => this.#leave(provider) }
  }

  replace(provider: Provider): void {
    const former = this.#provider
    this.#provider = provider
    if (former !== provider && !this.#uses.has(former)) this.#release(former)
  }

  forget(): void {
    this.isForgotten = true
    if (this.isIdle) this.#release(this.#provider)
  }

  #leave(provider: Provider): void {
    const left = (this.#uses.get(provider) ?? 0) - 1
    if (left > 0) {
      this.#uses.set(provider, left)
      return
    }
    this.#uses.delete(provider)
    if (provider !== this.#provider || this.isForgotten) this.#release(provider)
  }
}
