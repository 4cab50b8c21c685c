import type { ReadProviderConfig } from '../config/read-provider-config.ts'

/** What a configuration leaves out, which makes sense while it grows: models without a route, providers in no route. */
export function gapsOf(
  { models, providers }: Pick<ReadProviderConfig, 'models' | 'providers'>,
  catalog: readonly string[],
): { readonly unrouted: string[]; readonly unused: string[] } {
  const routes = Object.values(models)
  // Without any, the renderer makes everything.
  const isRouted = routes.length === 0 || models['*'] !== undefined
  const named = new Set(routes.flatMap((route) => route.providers))
  return {
    unrouted: isRouted ? [] : catalog.filter((model) => models[model] === undefined),
    unused: providers.map(({ name }) => name).filter((name) => !named.has(name)),
  }
}
