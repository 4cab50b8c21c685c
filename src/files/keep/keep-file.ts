import pg from 'pg'
import { PLANS } from '../../accounts/plans.ts'
import { newId, uuidOf } from '../../canonical/ids.ts'
import type { FileOwner } from '../file-owner.ts'
import type { FilesContext } from '../files-context.ts'
import type { KeptFile } from '../kept-file.ts'
import { noRoom } from '../no-room.ts'
import {
  type BlobId,
  deleteBlob,
  insertBlob,
  insertFileOfNewBlob,
  insertFileOfStoredBlob,
  type NewFile,
  selectStoredBytes,
} from '../queries.ts'
import type { ExaminedFile } from '../received-file.ts'

const SECONDS_A_DAY = 86_400

/** What was fetched for a request is there for the tasks that it makes, whose own claim on the bytes outlives it. */
const KEEP_REFERENCES_SECONDS = SECONDS_A_DAY

/**
 * Another maker of the same bytes, or a sweep, can get in between once and, by a rare chance, again; more often means
 * that something else is wrong.
 */
const KEEP_ATTEMPTS = 5

/** What may be kept although its bytes are not here: they are known by their hash. */
export type KnownFile = Omit<ExaminedFile, 'path' | 'ending'>

type BlobKeeper = Pick<FilesContext, 'db' | 'store'>

interface Keeping<File> {
  readonly owner: FileOwner
  /** Why it is kept: uploaded, it is listed and lives as long as the plan says; fetched for a request, for a day. */
  readonly purpose: NewFile['purpose']
  readonly file: File
}

/**
 * Keeps an examined file for its owner, whose store holds equal bytes once. The file on this disk is only read. Killed at
 * any moment, it leaves at worst a blob that is marked as not stored, which a sweep removes with its object.
 * @throws FileRefused where the bytes are new and more than the owner's plan has room for.
 */
export async function keepFile(context: BlobKeeper, keeping: Keeping<ExaminedFile>): Promise<KeptFile> {
  for (let attempt = 1; attempt <= KEEP_ATTEMPTS; attempt += 1) {
    const kept = (await keepKnownFile(context, keeping)) ?? (await storeFile(context, keeping))
    if (kept !== undefined) return kept
  }
  throw new Error(`a file could not be kept in ${KEEP_ATTEMPTS} attempts: its blob went away each time`)
}

/** Keeps a file of whose bytes its owner has a copy in the store; `undefined` if there is none. */
export function keepKnownFile(
  context: Pick<FilesContext, 'db'>,
  keeping: Keeping<KnownFile>,
): Promise<KeptFile | undefined> {
  return insertFileOfStoredBlob(context.db, newFile(keeping))
}

/** Stores the bytes under a new blob; `undefined` if another with the same bytes was faster, or a sweep took it away. */
async function storeFile({ db, store }: BlobKeeper, keeping: Keeping<ExaminedFile>): Promise<KeptFile | undefined> {
  const { owner, file } = keeping
  const id: BlobId = newId('blob')
  const storeKey = blobKey(id, file.ending)
  const { mimeType, sizeBytes, sha256 } = file
  await insertBlob(db, { id, wallet: owner.wallet, storeKey, mimeType, sizeBytes, sha256 })
  // Announced first, counted then: of two that come at once, at least one sees the other.
  const { maxStoredBytes } = PLANS[owner.plan]
  const withThis = await selectStoredBytes(db, owner.wallet)
  if (withThis > maxStoredBytes) {
    await deleteBlob(db, id)
    throw noRoom({ leftBytes: maxStoredBytes - (withThis - sizeBytes), maxStoredBytes })
  }
  const stored = await store.put(storeKey, file.path)
  if (stored.sha256.toString('hex') !== sha256) throw new Error(`${file.path} was changed after it was received`)
  const kept = await insertFileOfNewBlob(db, id, newFile(keeping)).catch((error: unknown) => {
    if (error instanceof pg.DatabaseError && error.constraint === 'file_blobs_stored') return undefined
    throw error
  })
  if (kept !== undefined) return kept
  await store.delete(storeKey)
  await deleteBlob(db, id)
  return undefined
}

/** `files/<2 hex>/<blob uuid>.<ending>`: the two digits are random ones, so that a disk gets 256 folders of equal size. */
function blobKey(id: BlobId, ending: string): string {
  const uuid = uuidOf(id)
  return `files/${uuid.slice(-12, -10)}/${uuid}.${ending}`
}

function newFile({ owner, purpose, file }: Keeping<KnownFile>): NewFile {
  return {
    id: newId('file'),
    wallet: owner.wallet,
    purpose,
    kind: file.kind,
    name: file.name,
    mimeType: file.mimeType,
    sizeBytes: file.sizeBytes,
    sha256: file.sha256,
    width: file.width,
    height: file.height,
    durationSeconds: file.durationSeconds,
    keepSeconds: purpose === 'upload' ? PLANS[owner.plan].keepFilesDays * SECONDS_A_DAY : KEEP_REFERENCES_SECONDS,
  }
}
