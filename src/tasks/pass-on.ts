import { type OverAttempt, requeueTask, selectTriedProviders } from './attempt-queries.ts'
import type { LeasedTask } from './lease-queries.ts'
import type { StepContext } from './step-context.ts'

/** Why a provider never makes what a task asks for: then another one is asked even if it is not well. */
const NEVER: readonly OverAttempt['because'][] = ['request', 'configuration']

/**
 * Puts a task that this provider does not work on into the queue of another one that can take it, is well, and has not just been
 * tried; where this one never takes it, rather of one that is not well than of none. `ended` is the attempt that this ends, if it
 * does. False: there is none, or the task has changed hands.
 */
export async function passOn(context: StepContext, task: LeasedTask, ended: OverAttempt | undefined): Promise<boolean> {
  const { mode, request } = task
  const tried = await selectTriedProviders(context.db, task.id)
  const refused = new Set(tried.refused).add(task.provider)
  const router = context.router()
  const other =
    router.alternative({ mode, request, except: new Set([...refused, ...tried.recent]) }) ??
    (NEVER.includes(ended?.because) ? router.route({ mode, request, except: refused }) : undefined)
  return other !== undefined && (await requeue(context, task, { provider: other.id, ended }))
}

/** Puts a task into the queue of a provider, the one that had it or another. False: it has changed hands, or is to be canceled. */
export async function requeue(
  context: StepContext,
  task: LeasedTask,
  to: { readonly provider: string; readonly ended: OverAttempt | undefined },
): Promise<boolean> {
  if (!(await requeueTask(context.db, task, to))) return false
  context.log.info({ task: task.id, from: task.provider, to: to.provider }, 'the task goes back to a queue')
  context.onRequeued()
  return true
}
