/** Every statement about refused prompts. */
import { type AccountId, type Id, newId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { Category } from './category.ts'

export interface ModerationRefusal {
  readonly account: AccountId
  readonly requestId: Id<'req'>
  readonly dialect: string
  readonly source: 'rules' | 'endpoint'
  /** At most 64 characters. */
  readonly rule: string
  readonly category: Category
  /** Hex. */
  readonly promptSha256: string
}

export async function insertModerationRefusal(db: Queryable, refusal: ModerationRefusal): Promise<void> {
  await db.query(
    `insert into moderation_refusals (id, account_id, trace_id, dialect, source, rule, category, prompt_sha256)
     values ($1, $2, $3, $4, $5, $6, $7, decode($8, 'hex'))`,
    [
      uuidOf(newId('mod')),
      uuidOf(refusal.account),
      uuidOf(refusal.requestId),
      refusal.dialect,
      refusal.source,
      refusal.rule,
      refusal.category,
      refusal.promptSha256,
    ],
  )
}

/** Forgets refusals from more than `days` ago. Returns how many. */
export async function deleteOldRefusals(
  db: Queryable,
  { days, limit }: { readonly days: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from moderation_refusals where id = any (array(
       select id from moderation_refusals where created_at < now() - make_interval(days => $1)
       order by created_at limit $2 for update skip locked))`,
    [days, limit],
  )
  return rowCount ?? 0
}
