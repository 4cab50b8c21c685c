import { setMaxListeners } from 'node:events'
import type pg from 'pg'
import type { Logger } from 'pino'
import type { TaskId } from '../canonical/ids.ts'
import { sweepFiles } from '../files/sweep-files.ts'
import { discardIngested as discardStored, type OfLeases } from '../media/discard-ingested.ts'
import { sweepExpiredMedia } from '../media/retention.ts'
import type { Store } from '../media/store.ts'
import { deleteOldRefusals } from '../moderation/queries.ts'
import { Cadence } from '../observe/cadence.ts'
import type { OpenReference } from '../providers/provider.ts'
import { AcceptedJobs } from '../tasks/accepted-jobs.ts'
import type { AcceptedJob, AcceptedJournal } from '../tasks/accepted-journal.ts'
import type { ActiveProvider } from '../tasks/active-provider.ts'
import { cancelJob } from '../tasks/cancel-job.ts'
import type { Deadlines } from '../tasks/deadlines.ts'
import { releaseLeases } from '../tasks/lease-queries.ts'
import { MissingProviders } from '../tasks/missing-providers.ts'
import type { ProviderSet } from '../tasks/provider-set.ts'
import { deleteOldIdempotencyKeys } from '../tasks/queries.ts'
import { replayAccepted } from '../tasks/replay-accepted.ts'
import { Room } from '../tasks/room.ts'
import { cancelUnheard, expireInDoubt, expireQueued } from '../tasks/settle-queries.ts'
import { type IngestVideo, type StepCounters, UNCOUNTED } from '../tasks/step-context.ts'
import { DELIVERY_KINDS } from '../webhooks/delivery.ts'
import { deleteOldDeliveries, releaseDeliveries } from '../webhooks/queries.ts'
import { type Chore, runChores } from './chores.ts'
import { DeliveryLane, type DeliveryLaneOptions } from './delivery-lane.ts'
import { Lane, type LaneContext } from './lane.ts'
import { deleteWorker, upsertWorker } from './queries.ts'
import { SetAside } from './set-aside.ts'
import { StorageWatch } from './storage-watch.ts'

/** Rows that one run of a chore takes: small transactions, however much has piled up. */
const CHORE_BATCH = 200

/** How long it can be looked up what the content policy refused. */
const REFUSAL_DAYS = 90

/** How long an operator can look up what became of a delivery. */
const DELIVERY_DAYS = 30

/**
 * Files of requests that are being handed to providers: most are sent as base64 in JSON, and some eight bytes of memory are taken
 * by each of theirs until that is written.
 */
const STARTING_BYTES = 64 * 1024 * 1024

/** Polls, downloads and deliveries that are under way when the process stops have this long; cut off, each is begun anew. */
export const CUT_AFTER_MS = 10_000

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

export interface WorkerOptions {
  /** Stable for a data directory, so that a restarted process can free what its predecessor held. */
  readonly id: string
  readonly pool: pg.Pool
  readonly providers: ProviderSet
  /** Limits of what only others can end. */
  readonly deadlines: () => Deadlines
  /** An existing folder for videos on their way from a provider. */
  readonly downloads: string
  readonly ingest: IngestVideo
  readonly store: Store
  /** Where accepted jobs are kept until they are saved; this process' own, or shared. */
  readonly journal: AcceptedJournal
  /** From the beginning of a stop until polls and downloads under way are cut off. */
  readonly cutAfterMs: number
  readonly log: Logger
  readonly onClaimed?: NonNullable<LaneContext['onClaimed']>
  readonly counters?: StepCounters
  /** What callbacks and uploads are made with; `undefined` leaves them to other workers. */
  readonly deliveries?: Pick<DeliveryLaneOptions, 'policy' | 'renderCallback' | 'deliveries' | 'now'>
  /** What else is to be done again and again while it runs. */
  readonly chores?: readonly Chore[]
}

/** Drives tasks and deliveries: one lane for each provider, one for each kind of delivery, and the chores. */
export class Worker {
  readonly #options: WorkerOptions
  readonly #stop = new AbortController()
  /** Ends what is under way, but for starts and what saves their outcome. */
  readonly #cut = new AbortController()
  readonly #accepted: AcceptedJobs
  readonly #lanes = new Set<Lane>()
  readonly #deliveryLanes: readonly DeliveryLane[]
  readonly #laneContext: LaneContext
  readonly #running = new Set<Promise<unknown>>()
  readonly #setAside: SetAside
  readonly #missing: MissingProviders
  readonly #storage: StorageWatch

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#setAside = new SetAside(options.log)
    const { pool: db, ingest, log, store, deliveries } = options
    // Each lane, each chore and each step listens.
    setMaxListeners(0, this.#stop.signal, this.#cut.signal)
    this.#accepted = new AcceptedJobs(options.journal, log)
    const discardIngested = (taskId: TaskId, of?: OfLeases) => discardStored(options.store, taskId, of)
    const onEnded = () => this.#wakeDeliveries()
    const common = { db, log, random: Math.random }
    const openReference: OpenReference = ({ storeKey }) => store.open(storeKey)
    const { providers, deadlines, downloads, onClaimed, counters = UNCOUNTED } = options
    this.#storage = new StorageWatch({
      ...{ store, worker: options.id, folder: downloads, log },
      onWritable: () => this.wake(),
    })
    this.#laneContext = {
      ...common,
      signal: this.#cut.signal,
      stopping: this.#stop.signal,
      accepted: this.#accepted,
      starting: new Room(STARTING_BYTES),
      ingest,
      openReference,
      discardIngested,
      onEnded,
      downloads,
      storage: this.#storage,
      counters,
      cadence: new Cadence(),
      ...(onClaimed === undefined ? {} : { onClaimed }),
      onRequeued: () => this.wake(),
      router: () => providers.router,
      get deadlines() {
        return deadlines()
      },
    }
    this.#missing = new MissingProviders({
      ...{ db, providers, log },
      onRequeued: () => this.wake(),
      nowMs: () => performance.now(),
    })
    this.#deliveryLanes =
      deliveries === undefined
        ? []
        : DELIVERY_KINDS.map((kind) => {
            const own = { store, kind, worker: options.id, signal: this.#stop.signal }
            return new DeliveryLane({ ...common, ...deliveries, ...own })
          })
  }

  /** Saves and frees what a dead predecessor of the same id held, says that it is alive, and begins. */
  async start(): Promise<void> {
    const { pool, id, log, journal, deadlines } = this.#options
    // Before the tasks are free: then nobody takes an attempt for uncertain whose job is known.
    const unwanted = await replayAccepted(journal, { db: pool, log, deadlines: deadlines() })
    const freed = await releaseLeases(pool, id)
    if (freed > 0) log.info({ tasks: freed }, 'took up the tasks of the process before')
    await releaseDeliveries(pool, id)
    await this.#heartbeat()
    const signal = this.#stop.signal
    const { providers } = this.#options
    providers.onAdded((active) => this.#open(active))
    for (const active of providers.all) this.#open(active)
    for (const job of unwanted) this.#running.add(this.#cancel(job))
    for (const lane of this.#deliveryLanes) this.#running.add(lane.run())
    this.#running.add(runChores(this.#chores(), { log, signal }))
  }

  /** Why this worker cannot store videos; `undefined`: it can, as far as it knows. */
  get storageFault(): string | undefined {
    return this.#storage.fault
  }

  /** A lane for one more provider, until that is forgotten. */
  #open(active: ActiveProvider): void {
    if (this.#stop.signal.aborted) return
    const lane = new Lane(this.#laneContext, { active, worker: this.#options.id })
    this.#lanes.add(lane)
    const run = lane.run().finally(() => {
      this.#lanes.delete(lane)
      this.#running.delete(run)
    })
    this.#running.add(run)
  }

  /** Asks a provider to stop a job that nobody wants. */
  async #cancel({ task, provider: name, operation }: AcceptedJob): Promise<void> {
    const provider = this.#options.providers.find(name)
    if (provider === undefined) return
    const context = { provider, log: this.#options.log, signal: this.#cut.signal }
    await cancelJob(context, { id: task, provider: name }, operation)
  }

  /** Tasks may be due: look now. */
  wake(): void {
    for (const lane of this.#lanes) lane.wake()
    this.#wakeDeliveries()
  }

  #wakeDeliveries(): void {
    for (const lane of this.#deliveryLanes) lane.wake()
  }

  /**
   * Takes no new steps, waits for those under way, and gives its leases back. Starts have all their time, and accepted jobs
   * are saved however long that takes; the rest is cut off after a while.
   */
  async stop(): Promise<void> {
    const { pool, id, cutAfterMs } = this.#options
    this.#stop.abort()
    const cut = setTimeout(() => this.#cut.abort(), cutAfterMs)
    await Promise.all(this.#running)
    clearTimeout(cut)
    await releaseLeases(pool, id)
    await releaseDeliveries(pool, id)
    await deleteWorker(pool, id)
  }

  /** Answers once every job that a provider has accepted is in the journal or in the database. */
  whenAcceptedAreSafe(): Promise<void> {
    return this.#accepted.whenSafe()
  }

  /** The database will not come back in the life of this process. */
  giveUpDatabase(): void {
    this.#accepted.giveUp()
  }

  #chores(): Chore[] {
    const { pool, store, log } = this.#options
    return [
      { name: 'heartbeat', everyMs: 3 * SECOND_MS, run: () => this.#heartbeat().then(() => 'done') },
      { name: 'look for tasks of missing providers', everyMs: 5 * SECOND_MS, run: () => this.#missing.look() },
      ...(this.#options.chores ?? []),
      { name: 'prove the store', everyMs: SECOND_MS, run: () => this.#storage.sweep().then(() => 'done' as const) },
      {
        name: 'expire queued tasks',
        everyMs: 5 * SECOND_MS,
        run: () => this.#end(expireQueued),
      },
      {
        name: 'expire tasks in doubt',
        everyMs: MINUTE_MS,
        run: () => this.#end(expireInDoubt),
      },
      {
        name: 'cancel tasks of missing providers',
        everyMs: 5 * SECOND_MS,
        run: () => this.#end(cancelUnheard),
      },
      {
        name: 'forget idempotency keys',
        everyMs: 10 * MINUTE_MS,
        run: async () => after(await deleteOldIdempotencyKeys(pool, CHORE_BATCH)),
      },
      {
        name: 'delete expired media',
        everyMs: MINUTE_MS,
        run: async () => after(await sweepExpiredMedia({ db: pool, store, log, limit: CHORE_BATCH })),
      },
      {
        name: 'delete ended files',
        everyMs: MINUTE_MS,
        run: async () => after(await sweepFiles({ db: pool, store, log, limit: CHORE_BATCH })),
      },
      {
        name: 'forget old deliveries',
        everyMs: MINUTE_MS,
        run: async () => after(await deleteOldDeliveries(pool, { days: DELIVERY_DAYS, limit: CHORE_BATCH })),
      },
      {
        name: 'forget old refusals of prompts',
        everyMs: 10 * MINUTE_MS,
        run: async () => after(await deleteOldRefusals(pool, { days: REFUSAL_DAYS, limit: CHORE_BATCH })),
      },
    ]
  }

  async #heartbeat(): Promise<void> {
    const { pool, id, providers } = this.#options
    const names = providers.all.map(({ provider }) => provider.id)
    await upsertWorker(pool, id, { providers: names, storageFault: this.#storage.fault })
  }

  /** Ends tasks that no lane ends; those that cannot be ended now are set aside. */
  async #end(end: typeof expireQueued): Promise<'more' | 'done'> {
    const found = await end(this.#options.pool, { limit: CHORE_BATCH, except: this.#setAside.ids })
    this.#setAside.add(found)
    return after(found.ended.length)
  }
}

/** A full batch means that there may be more. */
function after(done: number): 'more' | 'done' {
  return done >= CHORE_BATCH ? 'more' : 'done'
}
