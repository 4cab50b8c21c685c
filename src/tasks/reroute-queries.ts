import type { GenerationRequest } from '../canonical/generation.ts'
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { WalletMode } from '../canonical/wallet-mode.ts'
import type { Queryable } from '../db/database.ts'
import type { WalletId } from '../ledger/queries.ts'

/** A task that waits for a provider. */
export interface QueuedTask {
  readonly id: TaskId
  readonly mode: WalletMode
  readonly request: GenerationRequest
  /** Providers that never take it. */
  readonly refusedBy: readonly string[]
}

/** A place in the queue of a provider, in the order of its index. */
export interface QueuePlace {
  readonly wallet: WalletId
  /** With its microseconds, which a `Date` does not have. */
  readonly createdAt: string
  readonly id: TaskId
}

/** The next tasks that wait for a provider, beyond a place in its queue; their number does not depend on the queue's length. */
export async function selectQueued(
  db: Queryable,
  provider: string,
  { after, limit }: { readonly after: QueuePlace | undefined; readonly limit: number },
): Promise<(QueuedTask & { readonly place: QueuePlace })[]> {
  const { rows } = await db.query<{
    id: string
    wallet_id: bigint
    queued_at: string
    mode: WalletMode
    request: GenerationRequest
    refused_by: string[]
  }>({
    name: after === undefined ? 'select-queued' : 'select-queued-after',
    text: `select t.id, t.wallet_id, t.created_at::text as queued_at, w.mode, t.request,
             array(select a.provider from attempts a where a.task_id = t.id and a.because in ('request', 'result')) as refused_by
           from (
             select id, wallet_id, created_at, request from tasks
             where provider = $1 and state = 'queued' and parked_at is null
               ${after === undefined ? '' : 'and (wallet_id, created_at, id) > ($3::bigint, $4::timestamptz, $5::uuid)'}
             order by wallet_id, created_at, id limit $2
           ) t
           join wallets w on w.id = t.wallet_id order by t.wallet_id, t.created_at, t.id`,
    values: [provider, limit, ...(after === undefined ? [] : [after.wallet, after.createdAt, uuidOf(after.id)])],
  })
  return rows.map(({ id: uuid, wallet_id: wallet, queued_at: createdAt, refused_by: refusedBy, mode, request }) => {
    const id = idOf('task', uuid)
    return { id, mode, request, refusedBy, place: { wallet, createdAt, id } }
  })
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
