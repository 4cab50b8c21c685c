import { moveQueued, sampleQueued } from './reroute-queries.ts'
import type { StepContext } from './step-context.ts'

/** Tasks looked at in one turn: a provider that fails with a long queue is emptied in some seconds. */
const BATCH = 200

/** Of the provider only its name is asked for: there may be nothing else of it. */
export interface RerouteContext extends Pick<StepContext, 'db' | 'router' | 'onRequeued' | 'log'> {
  readonly provider: { readonly id: string }
}

/**
 * Moves tasks that wait for this provider, which is ill or gone, to others that can take them and have not refused them. What
 * nobody else can take waits for it. Returns how many were moved.
 */
export async function rerouteQueued({ db, provider, router, onRequeued, log }: RerouteContext): Promise<number> {
  const moves = (await sampleQueued(db, provider.id, BATCH)).flatMap(({ id, mode, request, refusedBy }) => {
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
