import type { JsonObject } from '../canonical/json.ts'
import type { LeasedTask } from './lease-queries.ts'
import type { StepContext } from './step-context.ts'
import { withinTime } from './within-time.ts'

/** A provider that has not heard a cancel by then is not waited for. */
const CANCEL_TIMEOUT_MS = 5_000

/** Asks the provider to stop, if it has the job. That it cannot be reached does not keep the customer's credits. */
export async function cancelJob(
  { provider, log, signal: stopping }: Pick<StepContext, 'provider' | 'log' | 'signal'>,
  task: Pick<LeasedTask, 'id' | 'provider'>,
  operation: JsonObject | undefined,
): Promise<void> {
  if (operation === undefined || provider.cancel === undefined) return
  try {
    const limit = { timeoutMs: CANCEL_TIMEOUT_MS, signal: stopping }
    await withinTime(limit, async (signal) => provider.cancel?.(operation, { signal }))
  } catch (error) {
    log.warn({ err: error, task: task.id, provider: task.provider }, 'could not cancel at the provider')
  }
}
