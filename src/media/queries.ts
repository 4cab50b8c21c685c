/** Every statement about stored media but the one that `settle_task` inserts. */
import { idOf, type MediaId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'

/** A file as the media route serves it. */
export interface ServedMedia {
  readonly storeKey: string
  readonly mimeType: string
  readonly sizeBytes: number
  readonly sha256: Buffer
  readonly createdAt: Date
  /** `deleted` from the moment at which retention may delete it, by the database's clock. */
  readonly state: 'kept' | 'deleted'
}

export async function selectServedMedia(db: Queryable, id: MediaId): Promise<ServedMedia | undefined> {
  const { rows } = await db.query<{
    store_key: string
    mime_type: string
    size_bytes: bigint
    sha256: Buffer
    created_at: Date
    is_kept: boolean
  }>(
    `select store_key, mime_type, size_bytes, sha256, created_at, deleted_at is null and expires_at > now() as is_kept
     from media where id = $1`,
    [uuidOf(id)],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    storeKey: row.store_key,
    mimeType: row.mime_type,
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256,
    createdAt: row.created_at,
    state: row.is_kept ? 'kept' : 'deleted',
  }
}

/** The manifest of a video, which its task stored with it. */
export async function selectManifestOf(db: Queryable, videoId: MediaId): Promise<MediaId | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select manifest.id from media video join media manifest on manifest.task_id = video.task_id
     where video.id = $1 and video.kind = 'video' and manifest.kind = 'manifest'`,
    [uuidOf(videoId)],
  )
  const row = rows[0]
  return row === undefined ? undefined : idOf('med', row.id)
}

export interface ExpiredMedia {
  readonly id: MediaId
  readonly taskId: TaskId
  readonly storeKey: string
  /** The time of every file of its task is over. */
  readonly isLast: boolean
}

/** Media whose deletion is due, or due again, by the database's clock; longest due first. */
export async function selectExpiredMedia(db: Queryable, limit: number): Promise<ExpiredMedia[]> {
  const { rows } = await db.query<{ id: string; task_id: string; store_key: string; is_last: boolean }>(
    // Not "not exists", which PostgreSQL answers by hashing all media that have not expired.
    `select id, task_id, store_key,
       (select count(*) = 0 from media other where other.task_id = media.task_id and other.expires_at > now()) as is_last
     from media where coalesce(delete_again_at, expires_at) <= now() and deleted_at is null
     order by coalesce(delete_again_at, expires_at) limit $1`,
    [limit],
  )
  return rows.map((row) => ({
    id: idOf('med', row.id),
    taskId: idOf('task', row.task_id),
    storeKey: row.store_key,
    isLast: row.is_last,
  }))
}

/** Notes that a file has been deleted; tells whether this call was the first to note it. */
export async function markMediaDeleted(db: Queryable, id: MediaId): Promise<boolean> {
  const { rowCount } = await db.query('update media set deleted_at = now() where id = $1 and deleted_at is null', [
    uuidOf(id),
  ])
  return rowCount === 1
}

/** Puts off the deletion of a file that could not be deleted. */
export async function postponeMediaDeletion(db: Queryable, id: MediaId, seconds: number): Promise<void> {
  await db.query('update media set delete_again_at = now() + make_interval(secs => $2) where id = $1', [
    uuidOf(id),
    seconds,
  ])
}
