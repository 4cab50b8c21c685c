import type { GenerationRequest } from '../../canonical/generation.ts'
import type { AdapterSettings } from './adapter-settings.ts'

/** What a request costs where only the operator knows a price: that for a second, or nothing known. */
export function costPerSecond({
  costMicroUsd,
}: Pick<AdapterSettings, 'costMicroUsd'>): (request: GenerationRequest) => number | undefined {
  return ({ durationSeconds }) => (costMicroUsd === undefined ? undefined : Math.round(costMicroUsd * durationSeconds))
}
