import { uuidOf } from '../canonical/ids.ts'
import { HINT_PAUSE } from './hint-queries.ts'
import type { LeasedTask } from './lease-queries.ts'

/** When a task is to be looked at again, and whether this worker keeps its lease until then. */
export interface NextStep {
  /** Milliseconds from now, by the database's clock; `deadline` parks the task until its deadline. No later than the deadline. */
  readonly inMs: number | 'deadline'
  /** Milliseconds for which the lease is kept beyond that step's time; `undefined` gives it back. */
  readonly keepLeaseMs: number | undefined
}

/**
 * A step is due at the task's deadline at the latest; and past that so often, until a look is answered, for the task may hold credits
 * that are due back.
 */
export const LATEST_STEP = `greatest(deadline_at, now() + interval '30 seconds')`

/**
 * $1 id, $2 fence, $3 ms until due (null: the deadline), $4 ms of lease kept beyond that (null: given back). Once it is
 * too late to cancel, a request to do so no longer hurries the task. A hint that came during the step (`hint-queries.ts`)
 * has the job looked at soon once more: what the step was told may be older.
 */
export const NEXT_STEP = nextStep('$3', '$4')

export function nextStep(inMs: string, keepLeaseMs: string, latest: string = LATEST_STEP): string {
  return `
  due_at = case when cancel_requested_at is not null and state in ('submitting', 'running') then now()
                when ${inMs}::float8 is null then deadline_at
                else least(now() + make_interval(secs => ${inMs}::float8 / 1000),
                  ${latest},
                  case when hinted_at = 'infinity' then now() + interval '${HINT_PAUSE}' end) end,
  hinted_at = case when hinted_at = 'infinity' then now() + interval '${HINT_PAUSE}' else hinted_at end,
  lease_owner = case when ${keepLeaseMs}::float8 is null then null else lease_owner end,
  lease_until = now() + make_interval(secs => (coalesce(${inMs}::float8, 0) + ${keepLeaseMs}::float8) / 1000)`
}

export function nextStepValues(task: LeasedTask, next: NextStep): [string, bigint, number | null, number | null] {
  return [uuidOf(task.id), task.fence, next.inMs === 'deadline' ? null : next.inMs, next.keepLeaseMs ?? null]
}
