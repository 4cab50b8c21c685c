import type { GenerationRequest } from '../../canonical/generation.ts'
import type { GoneJobs, Provider } from '../provider.ts'
import type { AdapterSettings } from './adapter-settings.ts'
import type { Upstream } from './upstream.ts'

/** What holds for a vendor's API where the operator says nothing else. */
export interface VendorDefaults {
  /** Jobs at once. */
  readonly concurrency: number
  /** Creates in a minute; absent where the vendor names no limit. */
  readonly requestsPerMinute?: number
  readonly pollEveryMs: number
  /** Whether the vendor documents that `Idempotency-Key` makes a repeated create the same job. */
  readonly startIsIdempotent: boolean
  /** What it means that the vendor's server does not know a job; absent: its jobs outlive its restarts. */
  readonly goneJobs?: GoneJobs
  /** Pixels of which the sides of its frames are multiples, as far as is known; absent where it makes any size itself. */
  readonly sizeStep?: number
  /** The list price in millionths of a US dollar; absent where there is none. */
  readonly costMicroUsd?: (request: GenerationRequest) => number | undefined
}

type Configured = Pick<
  Provider,
  | 'id'
  | 'startIsIdempotent'
  | 'goneJobs'
  | 'sizeStep'
  | 'concurrency'
  | 'requestsPerMinute'
  | 'affinity'
  | 'sourceType'
  | 'pollEveryMs'
  | 'costMicroUsd'
  | 'credential'
>

/** What every adapter of an HTTP API declares alike: the operator's word, else the vendor's. */
export function configured(settings: AdapterSettings, upstream: Upstream, vendor: VendorDefaults): Configured {
  const requestsPerMinute = settings.requestsPerMinute ?? vendor.requestsPerMinute
  // Of a second of video.
  const { costMicroUsd } = settings
  return {
    id: settings.name,
    startIsIdempotent: settings.honoursIdempotencyKey ?? vendor.startIsIdempotent,
    ...(vendor.sizeStep === undefined ? {} : { sizeStep: vendor.sizeStep }),
    ...(vendor.goneJobs === undefined ? {} : { goneJobs: vendor.goneJobs }),
    concurrency: settings.concurrency ?? vendor.concurrency,
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    affinity: 'any',
    sourceType: 'trainedAlgorithmicMedia',
    pollEveryMs: settings.pollEveryMs ?? vendor.pollEveryMs,
    costMicroUsd: (request) =>
      costMicroUsd === undefined ? vendor.costMicroUsd?.(request) : Math.round(costMicroUsd * request.durationSeconds),
    credential: upstream.credential,
  }
}
