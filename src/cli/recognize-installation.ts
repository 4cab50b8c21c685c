/** What a process does about its database and its store before it uses them: are they the ones that belong together? */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import {
  advanceMark,
  noteStore,
  openInstallation,
  type Parked,
  recognizeCopy,
  selectInstallation,
  succeedEpoch,
} from '../db/installation.ts'
import { readPlace } from '../db/place.ts'
import type { Store } from '../media/store.ts'
import { countStoredFiles, judgeStore, readStoreIdentity, writeStoreIdentity } from '../media/store-identity.ts'
import { countParked, countUnconfigured } from '../tasks/parked-queries.ts'
import { countParkedDeliveries } from '../webhooks/parked-queries.ts'
import { DROP_DELIVERIES, FAIL_TASKS, type ParkedTotals, RESUME_DELIVERIES, RESUME_TASKS } from './parked-lines.ts'

/** The store is written to no more often: the workers do so in turns. */
const MARKED_AT_MOST_EVERY_MS = 45_000

export interface RecognizeOptions {
  readonly config: Pick<Config, 'databaseUrl' | 'dataDirectory' | 'store' | 'mediaDirectory'>
  readonly pool: pg.Pool
  readonly log: Logger
}

/** Parks what is open where the database was copied to where it is served now. */
export async function recognizeDatabase({ config, pool, log }: RecognizeOptions): Promise<void> {
  await openInstallation(pool)
  const cluster =
    config.databaseUrl === undefined ? await realpath(join(config.dataDirectory, 'postgres', 'cluster')) : undefined
  sayEpoch(
    log,
    await recognizeCopy(pool, await readPlace(pool, cluster)),
    'the database was copied since it was last served',
  )
}

/**
 * Checks that the store is this installation's, and gives it the installation's identity.
 * @throws StoreRefused with sentences that name both.
 */
export async function recognizeStore(store: Store, { config, pool, log }: RecognizeOptions): Promise<void> {
  // The store first: what it has seen of a database that was not set back is never ahead of what is read afterwards.
  const found = await readStoreIdentity(store)
  const installation = await openInstallation(pool)
  const judged = judgeStore({
    installation,
    found,
    fileCount: await countStoredFiles(pool),
    isShared: config.store !== undefined || config.mediaDirectory !== undefined,
    name: storeName(config),
    now: new Date(),
  })
  if (judged === 'behind') {
    sayEpoch(log, await succeedEpoch(pool, installation), 'the store was used by a later state of the database')
  }
  await giveIdentity(store, pool)
}

/** Writes the identity into a store, whatever it had before. */
export async function giveIdentity(store: Store, pool: pg.Pool): Promise<void> {
  await writeStoreIdentity(store, await openInstallation(pool), new Date())
  await noteStore(pool)
}

/** Notes in database and store that this installation goes on; says so where another copy of it has taken the store over. */
export async function markStore(store: Store, { pool, log }: Pick<RecognizeOptions, 'pool' | 'log'>): Promise<void> {
  const found = await readStoreIdentity(store)
  const installation = await selectInstallation(pool)
  if (installation === undefined) return
  const { id, epoch, incarnation } = installation
  const silentMs = found?.incarnation === incarnation ? Date.now() - found.usedAt.getTime() : Number.POSITIVE_INFINITY
  // One of several workers is enough, and a start has just done it.
  if (silentMs < MARKED_AT_MOST_EVERY_MS) return
  if (
    found !== undefined &&
    (found.installation !== id || (found.incarnation !== incarnation && found.epoch > epoch))
  ) {
    log.error(
      { installation: id, epoch, storeInstallation: found.installation, storeEpoch: found.epoch },
      'another copy of this database has taken over the store: stop one of the two, or both make the same videos and delete each other’s files',
    )
    return
  }
  const advanced = await advanceMark(pool)
  if (advanced !== undefined) await writeStoreIdentity(store, advanced, new Date())
}

/** What operators know the store by. */
export function storeName({ store, mediaDirectory, dataDirectory }: RecognizeOptions['config']): string {
  if (store !== undefined) return `s3://${store.name}${store.prefix === '' ? '' : `/${store.prefix}`}`
  return mediaDirectory ?? join(dataDirectory, 'media')
}

/** What a restore has parked. Tasks whose provider is missing are counted apart. */
async function countRestored(pool: pg.Pool): Promise<ParkedTotals> {
  const [tasks, deliveries] = await Promise.all([countParked(pool), countParkedDeliveries(pool)])
  const restored = tasks.filter(({ because }) => because === 'restored')
  return { tasks: restored.reduce((sum, each) => sum + each.tasks, 0), deliveries }
}

/** What does not go on by itself. */
export interface OpenWork {
  readonly restored: ParkedTotals
  /** Open tasks at providers that no worker has, by provider. */
  readonly unconfigured: ReadonlyMap<string, number>
}

export async function readOpenWork(pool: pg.Pool): Promise<OpenWork> {
  return { restored: await countRestored(pool), unconfigured: await countUnconfigured(pool) }
}

/** Says at a start what waits for the operator, and what to type. */
export async function sayParked({ pool, log }: Pick<RecognizeOptions, 'pool' | 'log'>): Promise<void> {
  const { tasks, deliveries } = await countRestored(pool)
  if (tasks > 0) {
    log.warn(
      { tasks, resume: RESUME_TASKS, fail: FAIL_TASKS },
      'this database is a restored copy: its open tasks are parked, and neither begun nor asked after until an operator decides',
    )
  }
  if (deliveries > 0) {
    log.warn(
      { deliveries, resume: RESUME_DELIVERIES, drop: DROP_DELIVERIES },
      'this database is a restored copy: its callbacks and uploads are parked, and not made until an operator decides',
    )
  }
}

function sayEpoch(log: Logger, parked: Parked | undefined, why: string): void {
  if (parked === undefined) return
  const { epoch, tasks, deliveries } = parked
  log.warn(
    { epoch, tasks: Number(tasks), deliveries: Number(deliveries) },
    `${why}: an epoch begins, and what was open is parked`,
  )
}
