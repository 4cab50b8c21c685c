import type { JsonObject } from '../canonical/json.ts'
import type { LeasedTask } from './lease-queries.ts'
import type { StepContext } from './step-context.ts'

/** A provider that has not heard a cancel by then is not waited for. */
const CANCEL_TIMEOUT_MS = 5_000

/** Asks the provider to stop, if it has the job. That it cannot be reached does not keep the customer's credits. */
export async function cancelJob(
  context: StepContext,
  task: LeasedTask,
  operation: JsonObject | undefined,
): Promise<void> {
  if (operation === undefined) return
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(CANCEL_TIMEOUT_MS)])
  try {
    await context.provider.cancel?.(operation, { signal })
  } catch (error) {
    context.log.warn({ err: error, task: task.id, provider: task.provider }, 'could not cancel at the provider')
  }
}
