/** Every statement about customers' files but the one by which `submit_tasks` notes which files a task uses. */
import type { CustomerFile } from '../canonical/customer-file.ts'
import { type FileId, type Id, idOf, type MediaId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { ReferenceKind } from '../canonical/reference.ts'
import type { MediaKind } from '../canonical/task.ts'
import type { TaskState } from '../canonical/task-state.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'
import type { ServedMedia } from '../media/queries.ts'
import type { KeptFile } from './kept-file.ts'

/** The bytes of a wallet's files in the store: see the migration. */
export type BlobId = Id<'blob'>

export interface NewFile {
  readonly id: FileId
  readonly wallet: WalletId
  /** `upload`: its owner sees it in the Files API. `reference`: it was fetched for a request. */
  readonly purpose: 'upload' | 'reference'
  readonly kind: ReferenceKind
  /** At most 255 characters. */
  readonly name: string
  readonly mimeType: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  readonly width: number | undefined
  readonly height: number | undefined
  readonly durationSeconds: number | undefined
  readonly keepSeconds: number
}

interface FileRow {
  id: string
  kind: ReferenceKind
  name: string
  mime_type: string
  size_bytes: bigint
  sha256: Buffer
  width: number | null
  height: number | null
  duration_seconds: number | null
  created_at: Date
  expires_at: Date
}

interface KeptFileRow extends FileRow {
  store_key: string
}

const FILE_COLUMNS = `f.id, f.kind, f.name, f.mime_type, f.size_bytes, f.sha256, f.width, f.height,
  f.duration_seconds::float8 as duration_seconds, f.created_at, f.expires_at`

/** Inserts a file whose blob is `b`; the parameters are those of `fileValues`. */
const INSERT_FILE = `insert into files (id, wallet_id, blob_id, is_listed, kind, name, mime_type, size_bytes, sha256,
    width, height, duration_seconds, expires_at)
  select $1, $2, b.id, $3, $4, $5, $6, $7, decode($8, 'hex'), $9, $10, $11, now() + make_interval(secs => $12)`

function fileValues(file: NewFile): unknown[] {
  return [
    uuidOf(file.id),
    file.wallet,
    file.purpose === 'upload',
    file.kind,
    file.name,
    file.mimeType,
    file.sizeBytes,
    file.sha256,
    file.width ?? null,
    file.height ?? null,
    file.durationSeconds ?? null,
    file.keepSeconds,
  ]
}

/**
 * Inserts a file whose bytes the wallet has in the store already; `undefined` if it has not. The lock makes a sweep that
 * is about to drop the blob wait, or this statement wait for the sweep and then not find the blob.
 */
export async function insertFileOfStoredBlob(db: Queryable, file: NewFile): Promise<KeptFile | undefined> {
  const { rows } = await db.query<KeptFileRow>(
    `with b as materialized (
       select id, store_key from file_blobs
       where wallet_id = $2 and sha256 = decode($8, 'hex') and stored_at is not null and dropped_at is null for share
     ), f as (${INSERT_FILE} from b returning *)
     select ${FILE_COLUMNS}, b.store_key from f, b`,
    fileValues(file),
  )
  return rows[0] === undefined ? undefined : keptFileOf(rows[0])
}

/** Announces bytes that are about to be put into the store. */
export async function insertBlob(
  db: Queryable,
  blob: { id: BlobId; wallet: WalletId; storeKey: string; mimeType: string; sizeBytes: number; sha256: string },
): Promise<void> {
  await db.query(
    `insert into file_blobs (id, wallet_id, sha256, store_key, mime_type, size_bytes)
     values ($1, $2, decode($3, 'hex'), $4, $5, $6)`,
    [uuidOf(blob.id), blob.wallet, blob.sha256, blob.storeKey, blob.mimeType, blob.sizeBytes],
  )
}

/** Bytes of a wallet that are in the store, or on their way there; those that are only waiting to be deleted are not. */
export async function selectStoredBytes(db: Queryable, wallet: WalletId): Promise<number> {
  const { rows } = await db.query<{ bytes: bigint }>(
    `select coalesce(sum(size_bytes), 0)::bigint as bytes from file_blobs where wallet_id = $1 and dropped_at is null`,
    [wallet],
  )
  return Number(rows[0]?.bytes ?? 0)
}

/**
 * Notes that a blob's bytes are in the store, and inserts the file that has them. `undefined` if a sweep has dropped the
 * blob. Violates `file_blobs_stored` if the wallet got the same bytes in another blob meanwhile.
 */
export async function insertFileOfNewBlob(db: Queryable, blob: BlobId, file: NewFile): Promise<KeptFile | undefined> {
  const { rows } = await db.query<KeptFileRow>(
    `with b as (
       update file_blobs set stored_at = now()
       where id = $13 and wallet_id = $2 and stored_at is null and dropped_at is null returning id, store_key
     ), f as (${INSERT_FILE} from b returning *)
     select ${FILE_COLUMNS}, b.store_key from f, b`,
    [...fileValues(file), uuidOf(blob)],
  )
  return rows[0] === undefined ? undefined : keptFileOf(rows[0])
}

/** Forgets a blob whose object is gone and which no file may refer to; tells whether this call did it. */
export async function deleteBlob(db: Queryable, id: BlobId): Promise<boolean> {
  const { rowCount } = await db.query(
    'delete from file_blobs where id = $1 and (stored_at is null or dropped_at is not null)',
    [uuidOf(id)],
  )
  return rowCount === 1
}

/** Drops blobs that nobody needs, at most `limit` of them, and those whose storing was cut off. */
export async function dropBlobs(
  db: Queryable,
  { graceSeconds, storingSeconds, limit }: { graceSeconds: number; storingSeconds: number; limit: number },
): Promise<void> {
  await db.query('select drop_blobs(make_interval(secs => $1), make_interval(secs => $2), $3)', [
    graceSeconds,
    storingSeconds,
    limit,
  ])
}

/** Blobs whose objects are to be deleted, longest waiting first. */
export async function selectDroppedBlobs(
  db: Queryable,
  limit: number,
): Promise<{ readonly id: BlobId; readonly storeKey: string }[]> {
  const { rows } = await db.query<{ id: string; store_key: string }>(
    'select id, store_key from file_blobs where dropped_at <= now() order by dropped_at limit $1',
    [limit],
  )
  return rows.map((row) => ({ id: idOf('blob', row.id), storeKey: row.store_key }))
}

/** Lets a dropped blob wait, so that those behind it in the queue are deleted meanwhile. */
export async function postponeBlob(db: Queryable, id: BlobId, retrySeconds: number): Promise<void> {
  await db.query(
    `update file_blobs set dropped_at = now() + make_interval(secs => $2) where id = $1 and dropped_at is not null`,
    [uuidOf(id), retrySeconds],
  )
}

/** Forgets files that were fetched for requests, whose bytes are gone and which no task names; returns how many. */
export async function deleteForgottenFiles(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from files where id in (
       select f.id from files f
       where f.blob_id is null and not f.is_listed and f.ends_at <= now()
         and not exists (select from task_files u where u.file_id = f.id)
       order by f.ends_at limit $1 for update skip locked)`,
    [limit],
  )
  return rowCount ?? 0
}

/** What became of a file, by the database's clock. */
export type FileState =
  | { readonly state: 'kept'; readonly file: KeptFile }
  | { readonly state: 'expired'; readonly file: CustomerFile }
  /** By its owner. */
  | { readonly state: 'deleted' }

/** A file of one wallet; another wallet's is as absent as one that never was. */
export async function selectFile(db: Queryable, wallet: WalletId, id: FileId): Promise<FileState | undefined> {
  const { rows } = await db.query<FileRow & { store_key: string | null; deleted_at: Date | null; is_over: boolean }>(
    `select ${FILE_COLUMNS}, f.deleted_at, f.expires_at <= now() as is_over, b.store_key
     from files f left join file_blobs b on b.id = f.blob_id
     where f.id = $1 and f.wallet_id = $2`,
    [uuidOf(id), wallet],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  if (row.deleted_at !== null) return { state: 'deleted' }
  const { store_key } = row
  if (row.is_over || store_key === null) return { state: 'expired', file: customerFileOf(row) }
  return { state: 'kept', file: keptFileOf({ ...row, store_key }) }
}

export interface FileFilter {
  readonly wallet: WalletId
  /** Where the page before ended: only files beyond it. */
  readonly after: FileId | undefined
  readonly limit: number
}

/**
 * One page of the files of a wallet that were uploaded and that have not ended, newest first by the database's clock. A text
 * with a cursor and one without, for the reason that `tasks/list-queries.ts` gives. Files whose bytes are gone have ended, and
 * are not walked through.
 */
export async function selectFiles(db: Queryable, { wallet, after, limit }: FileFilter): Promise<CustomerFile[]> {
  const beyond =
    after === undefined
      ? ''
      : 'and (f.created_at, f.id) < ((select created_at from files where id = $3 and wallet_id = $1), $3::uuid)'
  const { rows } = await db.query<FileRow>({
    name: after === undefined ? 'list-files' : 'list-files-after',
    text: `select ${FILE_COLUMNS} from files f
           where f.wallet_id = $1 and f.is_listed and f.deleted_at is null and f.blob_id is not null and f.expires_at > now()
             ${beyond}
           order by f.created_at desc, f.id desc limit $2`,
    values: after === undefined ? [wallet, limit] : [wallet, limit, uuidOf(after)],
  })
  return rows.map(customerFileOf)
}

/** Ends an uploaded file at its owner's wish; `undefined` if the wallet has no such file any more. */
export async function markFileDeleted(db: Queryable, wallet: WalletId, id: FileId): Promise<CustomerFile | undefined> {
  const { rows } = await db.query<FileRow>(
    `update files f set deleted_at = now()
     where f.id = $1 and f.wallet_id = $2 and f.is_listed and f.deleted_at is null and f.expires_at > now()
     returning ${FILE_COLUMNS}`,
    [uuidOf(id), wallet],
  )
  return rows[0] === undefined ? undefined : customerFileOf(rows[0])
}

/** A file as the media route serves it, of whatever account: the link is what allows it. */
export async function selectServedFile(db: Queryable, id: FileId): Promise<ServedMedia | undefined> {
  const { rows } = await db.query<{
    store_key: string | null
    mime_type: string
    size_bytes: bigint
    sha256: Buffer
    created_at: Date
    is_kept: boolean
  }>(
    `select b.store_key, f.mime_type, f.size_bytes, f.sha256, f.created_at, f.ends_at > now() as is_kept
     from files f left join file_blobs b on b.id = f.blob_id where f.id = $1`,
    [uuidOf(id)],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    storeKey: row.store_key ?? '',
    mimeType: row.mime_type,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256,
    createdAt: row.created_at,
    state: row.is_kept && row.store_key !== null ? 'kept' : 'deleted',
  }
}

/** What a task produced, as far as a request can refer to it. */
export interface ProducedMedia {
  readonly taskId: TaskId
  readonly kind: MediaKind
  readonly storeKey: string
  readonly mimeType: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  readonly width: number | undefined
  readonly height: number | undefined
  readonly durationSeconds: number | undefined
  /** `deleted` from the moment at which retention may delete it, by the database's clock. */
  readonly state: 'kept' | 'deleted'
}

interface ProducedMediaRow {
  task_id: string
  kind: MediaKind
  store_key: string
  mime_type: string
  size_bytes: bigint
  sha256: Buffer
  width: number | null
  height: number | null
  duration_seconds: number | null
  is_kept: boolean
}

const PRODUCED_COLUMNS = `m.task_id, m.kind, m.store_key, m.mime_type, m.size_bytes, m.sha256, m.width, m.height,
  round(m.duration_seconds, 3)::float8 as duration_seconds, m.deleted_at is null and m.expires_at > now() as is_kept`

/** How a task of one wallet stands, and its video if it has made one. A removed task is as absent as another wallet's. */
export async function selectTaskVideo(
  db: Queryable,
  wallet: WalletId,
  id: TaskId,
): Promise<{ readonly state: TaskState; readonly video: ProducedMedia | undefined } | undefined> {
  const { rows } = await db.query<{ state: TaskState } & (ProducedMediaRow | { task_id: null })>(
    `select t.state, ${PRODUCED_COLUMNS}
     from tasks t left join media m on m.task_id = t.id and m.kind = 'video'
     where t.id = $1 and t.wallet_id = $2 and t.removed_at is null`,
    [uuidOf(id), wallet],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return { state: row.state, video: row.task_id === null ? undefined : producedMediaOf(row) }
}

/** What a task of one wallet produced; another wallet's is as absent as one that never was. */
export async function selectProducedMedia(
  db: Queryable,
  wallet: WalletId,
  id: MediaId,
): Promise<ProducedMedia | undefined> {
  const { rows } = await db.query<ProducedMediaRow>(
    `select ${PRODUCED_COLUMNS}
     from media m join tasks t on t.id = m.task_id
     where m.id = $1 and t.wallet_id = $2 and t.removed_at is null`,
    [uuidOf(id), wallet],
  )
  return rows[0] === undefined ? undefined : producedMediaOf(rows[0])
}

function keptFileOf(row: KeptFileRow): KeptFile {
  return { ...customerFileOf(row), sha256: row.sha256.toString('hex'), storeKey: row.store_key }
}

function customerFileOf(row: FileRow): CustomerFile {
  return {
    id: idOf('file', row.id),
    kind: row.kind,
    name: row.name,
    mimeType: row.mime_type,
    sizeBytes: Number(row.size_bytes),
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    durationSeconds: row.duration_seconds ?? undefined,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

function producedMediaOf(row: ProducedMediaRow): ProducedMedia {
  return {
    taskId: idOf('task', row.task_id),
    kind: row.kind,
    storeKey: row.store_key,
    mimeType: row.mime_type,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256.toString('hex'),
    width: row.width ?? undefined,
    height: row.height ?? undefined,
    durationSeconds: row.duration_seconds ?? undefined,
    state: row.is_kept ? 'kept' : 'deleted',
  }
}
