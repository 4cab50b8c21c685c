import type { GenerationRequest } from '../canonical/generation.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Provider } from '../providers/provider.ts'

/** The first provider that can take the request; `undefined` if none can. Test credits reach only those that are free. */
export function routeTask(
  providers: readonly Provider[],
  mode: WalletMode,
  request: GenerationRequest,
): Provider | undefined {
  return providers.find((provider) => (mode === 'live' || provider.isFree === true) && canTake(provider, request))
}

function canTake({ abilities, takes }: Provider, request: GenerationRequest): boolean {
  return (
    (takes === undefined || takes(request)) &&
    request.durationSeconds >= abilities.durationSeconds.min &&
    request.durationSeconds <= abilities.durationSeconds.max &&
    abilities.resolutions.includes(request.resolution) &&
    abilities.aspectRatios.includes(request.aspectRatio) &&
    abilities.operations.includes(request.operation) &&
    request.references.every(({ role }) => abilities.roles.includes(role))
  )
}
