import type { GenerationRequest } from '../canonical/generation.ts'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'

/** A task that waits for a provider. */
export interface QueuedTask {
  readonly id: TaskId
  readonly mode: WalletMode
  readonly request: GenerationRequest
  /** Providers that never take it. */
  readonly refusedBy: readonly string[]
}

/** Some of the tasks that wait for a provider, of every wallet: any, so that none stands before all others. */
export async function sampleQueued(db: Queryable, provider: string, limit: number): Promise<QueuedTask[]> {
  const { rows } = await db.query<{ id: string; mode: WalletMode; request: GenerationRequest; refused_by: string[] }>({
    name: 'sample-queued',
    text: `select t.id, w.mode, t.request,
             array(select a.provider from attempts a where a.task_id = t.id and a.because in ('request', 'result')) as refused_by
           from (select * from tasks where provider = $1 and state = 'queued' and parked_at is null order by random() limit $2) t
           join wallets w on w.id = t.wallet_id`,
    values: [provider, limit],
  })
  return rows.map(({ id, refused_by, ...row }) => ({ id: idOf('task', id), refusedBy: refused_by, ...row }))
}

/** Moves tasks that still wait for `from` to the queues of other providers. Returns how many. */
export async function moveQueued(
  db: Queryable,
  from: string,
  moves: readonly { readonly id: TaskId; readonly provider: string }[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'move-queued',
    // Whoever moves or admits them at this moment has them locked, and is not waited for.
    text: `with free as materialized (
             select id from tasks where id = any ($2::uuid[]) and provider = $1 and state = 'queued' and parked_at is null
             order by id for update skip locked
           )
           update tasks t set provider = m.provider, updated_at = now()
           from free join unnest($2::uuid[], $3::text[]) as m (id, provider) using (id) where t.id = free.id`,
    values: [from, moves.map(({ id }) => uuidOf(id)), moves.map(({ provider }) => provider)],
  })
  return rowCount ?? 0
}
