import type pg from 'pg'
import type { Logger } from 'pino'
import type { Authenticator } from '../accounts/authenticate.ts'
import type { RateLimiter } from '../accounts/rate-limit.ts'
import type { Catalog } from '../catalog/load.ts'
import type { FilesContext } from '../files/files-context.ts'
import type { FetchPolicy } from '../media/fetch-policy.ts'
import type { MediaLinks } from '../media/links.ts'
import type { SigningKey } from '../media/signing-key.ts'
import type { Store } from '../media/store.ts'
import type { Moderator } from '../moderation/moderator.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Provider } from '../providers/provider.ts'
import type { IdempotencyKeys } from '../tasks/idempotency-keys.ts'
import type { Router } from '../tasks/router.ts'
import type { Submitter } from '../tasks/submit.ts'
import type { Waker } from '../tasks/wake.ts'
import type { TaskWatchers } from '../tasks/watch.ts'
import type { DatabaseTurns } from './database-turns.ts'
import type { LargeBodyTurns } from './large-body-turns.ts'
import type { OpenUploads } from './open-uploads.ts'
import type { ProviderWebhookAddresses } from './provider-webhook-addresses.ts'
import type { WatchPlaces } from './watch-places.ts'

/** What the HTTP side works with; put together where the process starts. */
export interface Platform {
  /** Where customers reach this server, without a slash at the end. */
  readonly publicUrl: () => string
  readonly pool: pg.Pool
  readonly catalog: Catalog
  /** The routes to providers as they are now. */
  readonly router: () => Router
  /** A provider by its name, as long as this process has to do with it. */
  readonly provider: (name: string) => Provider | undefined
  readonly webhookAddresses: ProviderWebhookAddresses
  /** The content policy as it is now. */
  readonly moderator: () => Moderator
  readonly authenticator: Authenticator
  readonly rateLimiter: RateLimiter
  readonly idempotencyKeys: IdempotencyKeys
  readonly submitter: Submitter
  readonly waker: Waker
  readonly watchers: TaskWatchers
  readonly store: Store
  readonly links: MediaLinks
  /** Signs the manifests of videos. */
  readonly signingKey: SigningKey
  /** Which URLs of customers may be called. */
  readonly fetchPolicy: FetchPolicy
  /** Files that customers bring. */
  readonly files: FilesContext
  readonly largeBodies: LargeBodyTurns
  readonly databaseTurns: DatabaseTurns
  /** The same for pages of lists, which have a pool of their own. */
  readonly listTurns: DatabaseTurns
  readonly watchPlaces: WatchPlaces
  readonly openUploads: OpenUploads
  readonly metrics: Metrics
  readonly log: Logger
}
