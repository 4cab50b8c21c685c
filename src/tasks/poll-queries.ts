/** What is written down of a job that a provider has, under the fencing token of its lease. */
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { LeasedTask } from './lease-queries.ts'
import { type NextStep, nextStep, nextStepValues } from './next-step.ts'
import { statesBefore } from './states.ts'

/** What a poll came to that left its task open. */
export interface SavedPoll {
  readonly task: LeasedTask
  /** 0–99; it never goes back. */
  readonly progress: number
  /** Resets the count of unanswered polls. */
  readonly answered: boolean
  /** The provider answered that it does not know the job. */
  readonly isGone?: boolean
  readonly next: NextStep
}

/**
 * Writes down many polls in one statement, each for itself: under the fencing token of its own lease. Returns the tasks of
 * those that counted; the leases of the others were lost.
 */
export async function savePolls(db: Queryable, polls: readonly SavedPoll[]): Promise<ReadonlySet<TaskId>> {
  // Everybody who locks several rows by their ids takes them in one order, so that nobody waits in a circle.
  const sorted = [...polls].sort((one, other) => (one.task.id < other.task.id ? -1 : 1))
  const steps = sorted.map(({ task, next }) => nextStepValues(task, next))
  const { rows } = await db.query<{ id: string }>({
    name: 'save-polls',
    // Not waited for until it is on the disk: a crash of the database that loses it costs a poll, which is made again. A claim
    // is waited for, and with it all that was committed before.
    text: `with relaxed as materialized (select set_config('synchronous_commit', 'off', true))
           update tasks set ${nextStep('polled.in_ms', 'polled.keep_ms')},
             updated_at = case when polled.reached > progress then now() else updated_at end,
             progress = greatest(progress, polled.reached),
             unanswered_polls = case when polled.answered then 0 else unanswered_polls + 1 end,
             gone_polls = case when polled.is_gone then gone_polls + 1 when polled.answered then 0 else gone_polls end
           from unnest($1::uuid[], $2::bigint[], $3::float8[], $4::float8[], $5::smallint[], $6::boolean[], $7::boolean[])
             as polled (id, fence, in_ms, keep_ms, reached, answered, is_gone), relaxed
           where tasks.id = polled.id and tasks.fence = polled.fence
           returning tasks.id`,
    values: [
      steps.map(([id]) => id),
      steps.map(([, fence]) => fence),
      steps.map(([, , inMs]) => inMs),
      steps.map(([, , , keepMs]) => keepMs),
      sorted.map(({ progress }) => progress),
      sorted.map(({ answered }) => answered),
      sorted.map(({ isGone }) => isGone === true),
    ],
  })
  return new Set(rows.map(({ id }) => idOf('task', id)))
}

/** The provider is done: the task is `collecting`, still in the same worker's hands. */
export async function markCollecting(db: Queryable, task: LeasedTask): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'mark-collecting',
    text: `update tasks set state = 'collecting', progress = greatest(progress, 99::smallint), updated_at = now()
           where id = $1 and fence = $2 and state = any ($3)`,
    values: [uuidOf(task.id), task.fence, statesBefore('collecting')],
  })
  return rowCount === 1
}
