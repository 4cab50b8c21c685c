/** Puts a process together: database, store, providers, worker and HTTP server, in that order; and takes it apart again. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type pg from 'pg'
import type { Logger } from 'pino'
import { Authenticator } from '../accounts/authenticate.ts'
import { ensureBootstrapAccount } from '../accounts/bootstrap.ts'
import type { RateLimiter } from '../accounts/rate-limit.ts'
import { MemoryRateLimiter } from '../accounts/rate-limit-memory.ts'
import { RedisRateLimiter } from '../accounts/rate-limit-redis.ts'
import { loadCatalog } from '../catalog/load.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ReadProviderConfig } from '../config/read-provider-config.ts'
import type { Queryable } from '../db/database.ts'
import { instanceSecret } from '../db/instance-secrets.ts'
import { Notifications } from '../db/notifications.ts'
import { DIALECTS } from '../dialects/index.ts'
import { DURATION_TOKEN_SECRET_BYTES, DurationTokens } from '../files/duration-token.ts'
import type { FilesContext } from '../files/files-context.ts'
import { sweepAbandonedFiles } from '../files/receive/sweep-abandoned-files.ts'
import { DatabaseTurns } from '../http/database-turns.ts'
import { LargeBodyTurns } from '../http/large-body-turns.ts'
import { OpenUploads } from '../http/open-uploads.ts'
import type { Platform } from '../http/platform.ts'
import {
  PROVIDER_WEBHOOK_SECRET,
  PROVIDER_WEBHOOK_SECRET_BYTES,
  ProviderWebhookAddresses,
} from '../http/provider-webhook-addresses.ts'
import { createServer } from '../http/server.ts'
import { WatchPlaces } from '../http/watch-places.ts'
import { fetchPolicy } from '../media/fetch-policy.ts'
import { ingestVideo } from '../media/ingest.ts'
import { installationKey } from '../media/installation-key.ts'
import { LINK_SECRET_BYTES, MediaLinks } from '../media/links.ts'
import { openStore } from '../media/open-store.ts'
import { Posters } from '../media/posters.ts'
import { sweepStaleFiles } from '../media/sweep-stale-files.ts'
import { Moderator } from '../moderation/moderator.ts'
import { createMetrics } from '../observe/metrics.ts'
import { createAnimaticProvider, sandboxOf } from '../providers/animatic/adapter.ts'
import { AcceptedJournal } from '../tasks/accepted-journal.ts'
import { DEFAULT_DEADLINES } from '../tasks/deadlines.ts'
import { idempotencyKeys } from '../tasks/idempotency-keys.ts'
import { countUnconfigured, selectProvidersInUse } from '../tasks/parked-queries.ts'
import { ProviderSet } from '../tasks/provider-set.ts'
import { Submitter } from '../tasks/submit.ts'
import { QUEUE_CHANNEL, Waker } from '../tasks/wake.ts'
import { TaskWatchers } from '../tasks/watch.ts'
import { countPendingDeliveries } from '../webhooks/queries.ts'
import { countOpenTasks } from '../worker/queries.ts'
import { callbackRenderer } from '../worker/render-callback.ts'
import { CUT_AFTER_MS, Worker } from '../worker/worker.ts'
import { claimNode, RECLAIM_PATIENCE_MS, START_PATIENCE_MS } from './claim-node.ts'
import { Cleanup } from './cleanup.ts'
import { makeDataDirectory } from './data-directory.ts'
import { gapsOf } from './gaps-of.ts'
import { Loss } from './loss.ts'
import { nodeId } from './node-id.ts'
import { openDatabase } from './open-database.ts'
import { ProviderPlans } from './provider-plan.ts'
import { modelsOf, readConfiguredProviders } from './read-configured-providers.ts'
import { markStore, recognizeDatabase, recognizeStore, sayParked } from './recognize-installation.ts'

/** The channel of `notify_key_changed` in the migrations. */
const KEYS_CHANNEL = 'reelay_keys'

const SECOND_MS = 1_000

/** Of what a store shows a database to have been set back by, and how soon it shows that another copy works. */
const MARK_EVERY_MS = 60 * SECOND_MS

export interface RunningPlatform extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:8787`; `undefined` for a worker. */
  readonly url: string | undefined
  readonly pool: pg.Pool
  /** Reads the configuration of providers anew; what is wrong with it is logged, and changes nothing. */
  readonly reload: () => Promise<void>
  /** Calls back when the process cannot go on: another one serves its data directory, or its database cannot be joined. */
  readonly onLost: (callback: (reason: Error) => void) => void
  /** From a signal to stop until the process ends, at the latest. */
  readonly drainMs: number
  /** Answers once every job that a provider has accepted is in the journal or in the database. */
  readonly whenAcceptedAreSafe: () => Promise<void>
  /** What waits for the database gives up: it will not come back in the life of this process. */
  readonly giveUpDatabase: () => void
}

/** Starts what the configured role asks for. Whatever was opened is closed again when a later part cannot start. */
export async function startPlatform(config: Config, log: Logger): Promise<RunningPlatform> {
  await using cleanup = new Cleanup()
  const { media, scratch, journal: journalFolder } = await makeDataDirectory(config.dataDirectory)
  const database = cleanup.use(
    await openDatabase(config, 'server', ({ migration, blockers, retryInMs }) =>
      log.warn({ migration, blockers, retryInMs }, 'a migration waits for transactions of others and is tried again'),
    ),
  )
  const { pool } = database
  database.embedded?.onInterruption((interruption) => {
    if (interruption.kind === 'joined_again') log.info('the embedded PostgreSQL is joined again')
    else log.warn({ err: interruption.reason }, 'the embedded PostgreSQL broke off: it is joined again as it answers')
  })
  if (database.migrated.length > 0) log.info({ migrations: database.migrated }, 'database migrated')
  const recognized = { config, pool, log }
  await recognizeDatabase(recognized)
  if (config.bootstrap !== undefined) await ensureBootstrapAccount(pool, config.bootstrap)

  const store = cleanup.use(await openStore(config.store, config.mediaDirectory ?? media))
  await recognizeStore(store, recognized)
  await sayParked(recognized)
  const renders = join(scratch, 'renders')
  const animatic = cleanup.use(createAnimaticProvider({ directory: renders, concurrency: config.renderConcurrency }))
  await sweepStaleFiles(renders)
  const policy = fetchPolicy(config.allowNets, config)
  if (config.allowNets.length > 0) {
    log.warn(
      { nets: config.allowNets },
      'REELAY_ALLOW_NETS is set: URLs in requests may reach these networks, by plain http and on any port too',
    )
  }
  const catalog = loadCatalog()
  const webhookAddresses = new ProviderWebhookAddresses({
    publicUrl: config.publicUrl,
    secret: await instanceSecret(pool, PROVIDER_WEBHOOK_SECRET, PROVIDER_WEBHOOK_SECRET_BYTES),
  })
  const plans = cleanup.use(
    new ProviderPlans({
      animatic: [sandboxOf(animatic), animatic],
      fetchPolicy: policy,
      callbackUrlOf: (provider) => webhookAddresses.urlOf(provider),
    }),
  )
  let providerConfig: ReadProviderConfig | undefined
  providerConfig = await readConfigured()
  let reloaded: Promise<void> = Promise.resolve()
  const providers = new ProviderSet(plans.make(providerConfig), {
    release: (provider) => closeLater(plans.close(provider), provider.id),
  })
  const metrics = createMetrics({
    openTasks: () => countOpenTasks(pool),
    storesVideos: () => (worker === undefined ? undefined : worker.storageFault === undefined),
    pendingDeliveries: () => countPendingDeliveries(pool),
    unconfiguredTasks: () => countUnconfigured(pool),
    circuits: () => new Map(providers.all.map(({ provider, breaker }) => [provider.id, breaker.state])),
  })
  let moderator = createModerator(providerConfig)
  cleanup.defer(() => moderator[Symbol.asyncDispose]())
  sayRoutes(providerConfig)
  let listeningUrl = ''
  const publicUrl = () => config.publicUrl ?? listeningUrl
  const links = new MediaLinks({
    publicUrl,
    secret: await instanceSecret(pool, 'media-links', LINK_SECRET_BYTES),
    now: () => new Date(),
  })
  const signingKey = await installationKey(pool)
  const files: FilesContext = {
    db: pool,
    store,
    links,
    fetchPolicy: policy,
    durationTokens: new DurationTokens({
      secret: await instanceSecret(pool, 'duration-tokens', DURATION_TOKEN_SECRET_BYTES),
      now: () => new Date(),
    }),
    scratch: join(scratch, 'files'),
    log,
  }
  await mkdir(files.scratch, { recursive: true })
  await sweepAbandonedFiles(files.scratch)
  const node = await nodeId(config.dataDirectory)
  /** Where the worker puts files on their way. */
  const workFolders: string[] = []
  const worker = config.role === 'api' ? undefined : await createWorker()
  const authenticator = new Authenticator({ db: pool })
  const waker = new Waker(pool, (error) => log.warn({ err: error }, 'workers could not be woken'))

  const loss = new Loss()
  let hasClaimed = false
  const notifications = cleanup.use(
    new Notifications({
      config: database.connection,
      handlers: {
        [QUEUE_CHANNEL]: () => worker?.wake(),
        [KEYS_CHANNEL]: (hash) => authenticator.forget(hash),
      },
      onConnected: async (client) => {
        authenticator.forgetAll()
        if (worker !== undefined) await claim(client)
        worker?.wake()
      },
      onError: (error) => log.warn({ err: error }, 'the connection that listens was lost'),
    }),
  )
  await notifications.open()
  const app = config.role === 'worker' ? undefined : await createApp()
  cleanup.together(
    () => worker?.stop(),
    () => app?.close(),
  )
  const url = app === undefined ? undefined : await listen(app)
  // Whatever lies there was left by a process that died, for now this one has claimed the data directory.
  for (const folder of workFolders) {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
  }
  // Not before it is known where it listens: callbacks carry links.
  await worker?.start()
  const opened = cleanup.move()
  let closing: Promise<void> | undefined
  return {
    url,
    pool,
    onLost: (callback) => {
      database.embedded?.onLost(callback)
      loss.onLost(callback)
    },
    drainMs: config.drainSeconds * SECOND_MS,
    whenAcceptedAreSafe: async () => worker?.whenAcceptedAreSafe(),
    giveUpDatabase: () => worker?.giveUpDatabase(),
    reload,
    [Symbol.asyncDispose]: () => {
      // Whoever asks again waits for the first: a part must not be closed while another still needs it.
      closing ??= opened[Symbol.asyncDispose]()
      return closing
    },
  }

  /** Claims the worker's name on the connection that listens. A name that another process took meanwhile ends this one. */
  async function claim(client: Queryable): Promise<void> {
    const patienceMs = hasClaimed ? RECLAIM_PATIENCE_MS : START_PATIENCE_MS
    try {
      await claimNode(client, { node, dataDirectory: config.dataDirectory, patienceMs })
      hasClaimed = true
    } catch (error) {
      if (hasClaimed && error instanceof ConfigError) loss.tell(error)
      throw error
    }
  }

  /** Once there was a file, its absence is an error: a reload never gives live customers' videos to the renderer. */
  function readConfigured(): Promise<ReadProviderConfig | undefined> {
    return readConfiguredProviders({ ...config, providersFile: providerConfig?.path ?? config.providersFile }, catalog)
  }

  /** One after the other: the last one asked for is the last one read. */
  function reload(): Promise<void> {
    reloaded = reloaded.then(takeConfigured)
    return reloaded
  }

  /** Takes the configuration file anew, whole or not at all; what is under way goes on. Never throws. */
  async function takeConfigured(): Promise<void> {
    try {
      const next = await readConfigured()
      const plan = plans.make(next)
      const formerModerator = moderator
      moderator = createModerator(next)
      closeLater(formerModerator[Symbol.asyncDispose](), 'moderation')
      providers.replace(plan)
      providerConfig = next
      log.info(
        { file: next?.path, providers: next?.providers.map(({ name }) => name) ?? [] },
        'providers were configured anew',
      )
      sayRoutes(next)
    } catch (error) {
      log.error({ err: error }, 'the configuration stays as it was')
      return
    }
    await forgetRetired().catch((error: unknown) =>
      log.warn({ err: error }, 'providers that are gone stay open until the next reload'),
    )
  }

  /** Closes the providers that are gone from the file and have no task left. */
  async function forgetRetired(): Promise<void> {
    for (const name of providers.forgetRetired(await selectProvidersInUse(pool))) plans.forget(name)
  }

  /** What is closed after a reload waits for what is under way with it, and is not waited for. */
  function closeLater(closing: Promise<void>, name: string): void {
    closing.catch((error: unknown) => log.warn({ err: error, name }, 'a former part could not be closed'))
  }

  /** Judges by the rules where nothing else is configured. */
  function createModerator(found: ReadProviderConfig | undefined): Moderator {
    const { rules = true, endpoint } = found?.moderation ?? {}
    return new Moderator({
      rules,
      endpoint: endpoint === undefined ? undefined : { ...endpoint, userAgent: policy.userAgent },
      db: pool,
      log,
      refusals: metrics.moderationRefusals,
    })
  }

  /** Whatever the file leaves out, an operator should know before a customer does. */
  function sayRoutes(found: ReadProviderConfig | undefined): void {
    if (found === undefined) return
    const { unrouted, unused } = gapsOf(found, modelsOf(catalog))
    if (unrouted.length > 0)
      log.warn({ models: unrouted }, 'no provider makes these models: creates of them are refused')
    if (unused.length > 0) log.warn({ providers: unused }, 'no route names these providers: they make nothing')
  }

  async function createWorker(): Promise<Worker> {
    const posters = cleanup.use(new Posters())
    const ingest = { store, signingKey, posters, log, scratch: join(scratch, 'ingest') }
    const downloads = join(scratch, 'downloads')
    workFolders.push(ingest.scratch, downloads)
    return new Worker({
      id: node,
      pool,
      providers,
      deadlines: () => providerConfig?.deadlines ?? DEFAULT_DEADLINES,
      downloads,
      store,
      journal: cleanup.use(new AcceptedJournal(journalFolder)),
      // A drain that is shorter than usual still has time for what comes after the worker.
      cutAfterMs: Math.min(CUT_AFTER_MS, (config.drainSeconds * SECOND_MS) / 2),
      log,
      ingest: (video) => ingestVideo({ ...video, ...ingest }),
      chores: [
        { name: 'mark the store', everyMs: MARK_EVERY_MS, run: () => markStore(store, recognized).then(() => 'done') },
      ],
      onClaimed: (provider, lateMs) => metrics.stepLateness.observe({ provider }, lateMs / SECOND_MS),
      counters: {
        collectFault: (provider, fault) => metrics.collectFaults.inc({ provider, fault }),
        unusableResult: (provider, fault) => metrics.unusableResults.inc({ provider, fault }),
        lostJob: (provider) => metrics.lostJobs.inc({ provider }),
      },
      deliveries: {
        policy,
        renderCallback: callbackRenderer({ db: pool, dialects: DIALECTS, urlOf: (media) => links.urlOf(media) }),
        deliveries: metrics.deliveries,
        now: () => new Date(),
      },
    })
  }

  async function openRateLimiter(): Promise<RateLimiter> {
    if (config.redisUrl === undefined) return new MemoryRateLimiter()
    return cleanup.use(
      await RedisRateLimiter.open({
        url: config.redisUrl,
        onAway: (reason) => log.warn({ err: reason }, 'Redis is away: this node counts requests by itself'),
        onBack: () => log.info('Redis is back: the nodes count requests together'),
      }),
    )
  }

  async function createApp(): Promise<FastifyInstance> {
    const platform: Platform = {
      publicUrl,
      pool,
      catalog,
      router: () => providers.router,
      moderator: () => moderator,
      provider: (name) => providers.find(name),
      webhookAddresses,
      authenticator,
      rateLimiter: await openRateLimiter(),
      idempotencyKeys: idempotencyKeys(pool),
      submitter: new Submitter(pool),
      waker,
      watchers: new TaskWatchers(pool, (error) => log.warn({ err: error }, 'watched tasks could not be read')),
      store,
      links,
      signingKey,
      files,
      largeBodies: new LargeBodyTurns(),
      databaseTurns: new DatabaseTurns(pool, 'shared'),
      listTurns: new DatabaseTurns(database.listPool, 'own'),
      watchPlaces: new WatchPlaces(),
      openUploads: new OpenUploads(),
      fetchPolicy: policy,
      metrics,
      log,
    }
    return createServer({
      platform,
      metricsToken: config.metricsToken,
      publicUrl: config.publicUrl,
      corsOrigins: config.corsOrigins,
    })
  }

  async function listen(app: FastifyInstance): Promise<string> {
    await app.listen({ host: config.host, port: config.port })
    const address = app.server.address()
    const port = typeof address === 'object' && address !== null ? address.port : config.port
    listeningUrl = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
    return listeningUrl
  }
}
