import type { BaseLogger } from 'pino'
import type { Queryable } from '../db/database.ts'
import type { FetchPolicy } from '../media/fetch-policy.ts'
import type { MediaLinks } from '../media/links.ts'
import type { Store } from '../media/store.ts'
import type { DurationTokens } from './duration-token.ts'

/** What customers' files are kept and found with; put together where the process starts. */
export interface FilesContext {
  readonly db: Queryable
  readonly store: Store
  readonly links: MediaLinks
  /** Which URLs of customers may be called. */
  readonly fetchPolicy: FetchPolicy
  readonly durationTokens: DurationTokens
  /** An existing folder for files on their way, with room for them. */
  readonly scratch: string
  readonly log: Pick<BaseLogger, 'warn' | 'error'>
}
