/**
 * Tasks of providers that no worker has: gone from the file over a restart, or known to an API whose file is another one than
 * the workers'. What waits for one goes to other providers of its route; what is with one is parked until it returns; and the
 * operator hears of it for as long as it lasts.
 */
import type { Logger } from 'pino'
import type { Queryable } from '../db/database.ts'
import { countUnconfigured, parkTasksOf, requeueUnstarted, resumeReturned } from './parked-queries.ts'
import type { ProviderSet } from './provider-set.ts'
import { QUEUE_DEADLINE_SECONDS } from './queries.ts'
import { type QueueWalk, rerouteQueued } from './reroute.ts'

/** So long no worker has had it: one that is being restarted comes back sooner. */
const MISSING_AFTER_MS = 10_000

/** How often the log repeats that tasks wait for a provider that no worker has. */
const SAID_EVERY_MS = 10 * 60_000

/** Tasks of one provider in one turn. */
const BATCH = 200

export interface MissingProvidersOptions {
  readonly db: Queryable
  readonly providers: ProviderSet
  readonly log: Logger
  /** Told when tasks stand in other queues, or are due again. */
  readonly onRequeued: () => void
  /** Milliseconds; only differences count. */
  readonly nowMs: () => number
}

interface Missing {
  readonly sinceMs: number
  /** When the log said it. */
  saidMs: number | undefined
  readonly walk: QueueWalk
}

export class MissingProviders {
  readonly #options: MissingProvidersOptions
  readonly #missing = new Map<string, Missing>()

  constructor(options: MissingProvidersOptions) {
    this.#options = options
  }

  /** One look. `more`: there may be more to move or to park now. */
  async look(): Promise<'more' | 'done'> {
    const { db, providers, log, onRequeued, nowMs } = this.#options
    const returned = await resumeReturned(
      db,
      providers.all.map(({ provider }) => provider.id),
      BATCH,
    )
    if (returned > 0) {
      log.info({ tasks: returned }, 'a provider is back: the tasks that waited for it go on')
      onRequeued()
      if (returned >= BATCH) return 'more'
    }
    const found = await countUnconfigured(db)
    for (const name of this.#missing.keys()) if (!found.has(name)) this.#missing.delete(name)
    let handled = 0
    for (const name of found.keys()) {
      const known = this.#missing.get(name) ?? { sinceMs: nowMs(), saidMs: undefined, walk: { after: undefined } }
      this.#missing.set(name, known)
      if (nowMs() - known.sinceMs >= MISSING_AFTER_MS) handled += await this.#handle(name, known.walk)
    }
    if (handled > 0) return 'more'
    await this.#say()
    return 'done'
  }

  async #handle(name: string, walk: QueueWalk): Promise<number> {
    const { db, providers, log, onRequeued } = this.#options
    const requeued = await requeueUnstarted(db, name, { limit: BATCH, queueSeconds: QUEUE_DEADLINE_SECONDS })
    const moved = await rerouteQueued(
      { db, provider: { id: name }, router: () => providers.router, onRequeued, log },
      walk,
    )
    const parked = await parkTasksOf(db, name, BATCH)
    return requeued + moved + parked
  }

  /** What is left waits for an operator, or for the provider. */
  async #say(): Promise<void> {
    const { db, log, nowMs } = this.#options
    if (this.#missing.size === 0) return
    for (const [provider, tasks] of await countUnconfigured(db)) {
      const known = this.#missing.get(provider)
      if (known === undefined || nowMs() - known.sinceMs < MISSING_AFTER_MS) continue
      if (known.saidMs !== undefined && nowMs() - known.saidMs < SAID_EVERY_MS) continue
      known.saidMs = nowMs()
      log.error(
        { provider, tasks },
        'open tasks wait for a provider that no worker has configured: put it back into the file, or give them up with "reelay tasks fail"',
      )
    }
  }
}
