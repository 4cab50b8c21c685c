import { createHash } from 'node:crypto'
import type pg from 'pg'
import { type MediaId, newId, uuidOf } from '../../src/canonical/ids.ts'

export interface MediaRow {
  readonly storeKey: string
  readonly content: Buffer
  readonly mimeType?: string
  /** From now by the database's clock; negative is over. */
  readonly keepSeconds?: number
}

/** Inserts a file's row, with the account, wallet and task that it needs. */
export async function insertMediaRow(pool: pg.Pool, row: MediaRow): Promise<MediaId> {
  const { storeKey, content, mimeType = 'video/mp4', keepSeconds = 3600 } = row
  const id = newId('med')
  await pool.query(
    `with account as (insert into accounts (id, name, plan) values ($1, 'test', 'free') returning id),
      wallet as (insert into wallets (account_id, mode) select id, 'test' from account returning id),
      task as (
        insert into tasks (id, wallet_id, dialect, model, request, body, trace_id, price_credits, provider, deadline_at)
        select $2, id, 'test', 'test', '{}', '{}', gen_random_uuid(), 0, 'test', now() from wallet returning id
      )
     insert into media (id, task_id, kind, store_key, mime_type, size_bytes, sha256, expires_at)
     select $3, id, 'video', $4, $5, $6, $7, now() + make_interval(secs => $8) from task`,
    [
      uuidOf(newId('acct')),
      uuidOf(newId('task')),
      uuidOf(id),
      storeKey,
      mimeType,
      content.length,
      createHash('sha256').update(content).digest(),
      keepSeconds,
    ],
  )
  return id
}
