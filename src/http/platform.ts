import type pg from 'pg'
import type { Logger } from 'pino'
import type { Authenticator } from '../accounts/authenticate.ts'
import type { Catalog } from '../catalog/load.ts'
import type { MediaLinks } from '../media/links.ts'
import type { Store } from '../media/store.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Provider } from '../providers/provider.ts'
import type { Submitter } from '../tasks/submit.ts'
import type { Waker } from '../tasks/wake.ts'

/** What the HTTP side works with; put together where the process starts. */
export interface Platform {
  readonly pool: pg.Pool
  readonly catalog: Catalog
  /** In the order of preference. */
  readonly providers: readonly Provider[]
  readonly authenticator: Authenticator
  readonly submitter: Submitter
  readonly waker: Waker
  readonly store: Store
  readonly links: MediaLinks
  readonly metrics: Metrics
  readonly log: Logger
}
