import type { GenerationRequest } from '../canonical/generation.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Provider } from '../providers/provider.ts'

/** The only provider that test credits reach: it costs nobody anything. */
export const TEST_PROVIDER = 'animatic'

/** The first provider that can take the request; `undefined` if none can. */
export function routeTask(
  providers: readonly Provider[],
  mode: WalletMode,
  request: GenerationRequest,
): Provider | undefined {
  return providers.find((provider) => (mode === 'live' || provider.id === TEST_PROVIDER) && canTake(provider, request))
}

function canTake({ abilities }: Provider, request: GenerationRequest): boolean {
  return (
    request.durationSeconds >= abilities.durationSeconds.min &&
    request.durationSeconds <= abilities.durationSeconds.max &&
    abilities.resolutions.includes(request.resolution) &&
    abilities.aspectRatios.includes(request.aspectRatio)
  )
}
