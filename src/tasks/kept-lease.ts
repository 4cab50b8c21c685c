import type { Provider } from '../providers/provider.ts'

/** How long a worker that went silent keeps its jobs: many polls long, and short enough to wait for. */
const AFFINITY_LEASE_MS = 15_000

/** A job that runs inside a worker stays with that worker between polls; see `Provider.affinity`. */
export function keptLeaseMs(provider: Provider): number | undefined {
  return provider.affinity === 'worker' ? AFFINITY_LEASE_MS : undefined
}
