import { moveQueued, type QueuePlace, selectQueued } from './reroute-queries.ts'
import type { StepContext } from './step-context.ts'

/** Tasks looked at in one turn, however long the queue: one that can be moved is emptied in some seconds. */
const BATCH = 200

/** Of the provider only its name is asked for: there may be nothing else of it. */
export interface RerouteContext extends Pick<StepContext, 'db' | 'router' | 'onRequeued' | 'log'> {
  readonly provider: { readonly id: string }
}

/** How far the turns have come in a provider's queue; past its end they begin again. */
export interface QueueWalk {
  after: QueuePlace | undefined
}

/**
 * Moves tasks that wait for this provider, which is ill or gone, to others that can take them and have not refused them. What
 * no other provider can take waits for it. Each turn goes on in the queue where the last one ended. Returns how many were moved.
 */
export async function rerouteQueued(
  { db, provider, router, onRequeued, log }: RerouteContext,
  walk: QueueWalk,
): Promise<number> {
  const queued = await selectQueued(db, provider.id, { after: walk.after, limit: BATCH })
  walk.after = queued.length < BATCH ? undefined : queued.at(-1)?.place
  const moves = queued.flatMap(({ id, mode, request, refusedBy }) => {
    const except = new Set([provider.id, ...refusedBy])
    const other = router().alternative({ mode, request, except })
    return other === undefined ? [] : [{ id, provider: other.id }]
  })
  if (moves.length === 0) return 0
  const moved = await moveQueued(db, provider.id, moves)
  if (moved === 0) return 0
  log.warn({ from: provider.id, tasks: moved }, 'queued tasks go to other providers')
  onRequeued()
  return moved
}
