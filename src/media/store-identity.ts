/**
 * A store and the database whose files it keeps know each other: the store has an object with the installation's id. A node whose
 * store has another id, or none although the database has files, has the wrong folder mounted or the wrong bucket named. It
 * would serve links to nothing, and its sweeps would take files for deleted that lie elsewhere.
 *
 * The object also says which copy of the database last used the store, and how far that one had come. So a database that was set
 * back, or restored beside an original that goes on, is told by the store that they share.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import type { Queryable } from '../db/database.ts'
import type { Installation } from '../db/installation.ts'
import { MissingFile } from './missing-file.ts'
import type { Store } from './store.ts'

export const STORE_IDENTITY_KEY = 'installation.json'

/** A server that runs writes every minute; one that was silent for this long is taken to be gone. */
export const IN_USE_MS = 5 * 60_000

const identityObject = z.object({
  format: z.literal('reelay-store'),
  installation: z.uuid(),
  epoch: z.number().int(),
  incarnation: z.uuid(),
  mark: z.string().regex(/^\d{1,18}$/),
  usedAt: z.iso.datetime(),
})

/** What a store says of the installation that uses it. */
export interface StoreIdentity {
  readonly installation: string
  readonly epoch: number
  readonly incarnation: string
  readonly mark: bigint
  readonly usedAt: Date
}

/** The store is not one that this installation may use. The message names both and says what to do. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
}

/** `undefined` where the store has none. @throws StoreRefused where it has an object of that name that is no identity. */
export async function readStoreIdentity(store: Store): Promise<StoreIdentity | undefined> {
  const content = await store
    .open(STORE_IDENTITY_KEY)
    .then(text)
    .catch((error: unknown) => {
      if (error instanceof MissingFile) return undefined
      throw error
    })
  if (content === undefined) return undefined
  const read = identityObject.safeParse(parsed(content))
  if (!read.success) {
    throw new StoreRefused(`${STORE_IDENTITY_KEY} in the store is damaged. Put it back from a copy of the store.`)
  }
  const { mark, usedAt, ...identity } = read.data
  return { ...identity, mark: BigInt(mark), usedAt: new Date(usedAt) }
}

/** Gives the store the identity of this installation, as of now. */
export async function writeStoreIdentity(store: Store, installation: Installation, now: Date): Promise<void> {
  const { id, epoch, incarnation, mark } = installation
  const identity: z.infer<typeof identityObject> = {
    ...{ format: 'reelay-store', installation: id, epoch, incarnation },
    ...{ mark: mark.toString(), usedAt: now.toISOString() },
  }
  const folder = await mkdtemp(join(tmpdir(), 'reelay-identity-'))
  try {
    const source = join(folder, STORE_IDENTITY_KEY)
    await writeFile(source, `${JSON.stringify(identity)}\n`)
    await store.put(STORE_IDENTITY_KEY, source)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is known before a node uses a store. */
export interface StoreQuestion {
  readonly installation: Installation
  readonly found: StoreIdentity | undefined
  /** Files that the database says are in the store. */
  readonly fileCount: number
  /** Whether other machines can reach the store: a copy of the database may be using it at this moment. */
  readonly isShared: boolean
  /** The store as its operator knows it: a folder, or a bucket. */
  readonly name: string
  readonly now: Date
}

/**
 * What a node does with its store. `use`: nothing but note that it is in use. `behind`: the store was used by a later state of
 * this database, or by another copy of it, that is gone: what is open is to be parked. @throws StoreRefused
 */
export function judgeStore(question: StoreQuestion): 'use' | 'behind' {
  const { installation, found, fileCount, isShared, name, now } = question
  if (found === undefined) {
    if (fileCount === 0 && !installation.hasStore) return 'use'
    throw new StoreRefused(
      `The store ${name} belongs to no installation, and the installation ${installation.id} of the database has a store, with ${fileCount} files. ` +
        'Point REELAY_STORE or REELAY_DATA_DIR to that store, which all machines share, or copy its files here. ' +
        `If they are lost, or were copied without ${STORE_IDENTITY_KEY}, "reelay store adopt" takes this store as it is.`,
    )
  }
  if (found.installation !== installation.id) {
    throw new StoreRefused(
      `The store ${name} belongs to the installation ${found.installation}, and the database to the installation ${installation.id}. ` +
        'Point REELAY_STORE, REELAY_DATA_DIR or DATABASE_URL to the other half of one installation.',
    )
  }
  if (found.incarnation === installation.incarnation) return found.mark > installation.mark ? 'behind' : 'use'
  const silentMs = now.getTime() - found.usedAt.getTime()
  if (isShared && silentMs < IN_USE_MS) {
    throw new StoreRefused(
      `The store ${name} was used ${Math.max(0, Math.round(silentMs / 1000))} s ago by another copy of this database (epoch ${found.epoch}, here ${installation.epoch}). ` +
        'Two copies would delete each other’s files: give this one a copy of the store, or stop the other one and start again ' +
        `${IN_USE_MS / 60_000} minutes later.`,
    )
  }
  return found.epoch < installation.epoch ? 'use' : 'behind'
}

/** Files that the database says are in the store: of tasks and of customers. */
export async function countStoredFiles(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ files: number }>(
    `select ((select count(*) from media where deleted_at is null)
      + (select count(*) from file_blobs where stored_at is not null and dropped_at is null))::integer as files`,
  )
  return rows[0]?.files ?? 0
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}
