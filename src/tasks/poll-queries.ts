/** What is written down of a job that a provider has, under the fencing token of its lease. */
import { idOf, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { LeasedTask } from './lease-queries.ts'
import { LATEST_STEP, type NextStep, nextStep, nextStepValues } from './next-step.ts'
import { statesBefore } from './states.ts'

/**
 * What a look found that left its task open. `nothing`: no answer. `busy`: no time to answer. `video`: finished, to be taken later.
 * `no video`, `no use`: finished, and the provider gives no video, or one that cannot be used.
 */
export type Found = 'nothing' | 'busy' | 'pending' | 'video' | 'no video' | 'no use' | 'gone'

/** What a look came to that left its task open. */
export interface SavedPoll {
  readonly task: LeasedTask
  /** 0–99; it never goes back. */
  readonly progress: number
  readonly found: Found
  readonly next: NextStep
}

/** A look that was begun before the deadline and ended after it is followed at once by the last one. */
const LATEST_LOOK = `case when polled.is_past_deadline then ${LATEST_STEP} else deadline_at end`

/**
 * Writes down many polls in one statement, each for itself: under the fencing token of its own lease. Returns the tasks of
 * those that counted; the leases of the others were lost. A look that ends after its lease moves the deadline, like one that
 * begins late: the process was stopped in between.
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
           update tasks set ${nextStep('polled.in_ms', 'polled.keep_ms', LATEST_LOOK)},
             updated_at = case when polled.reached > progress then now() else updated_at end,
             progress = greatest(progress, polled.reached),
             deadline_at = deadline_at + greatest(interval '0', now() - due_at),
             unanswered_polls = case when polled.found in ('nothing', 'no use') then unanswered_polls + 1
                                     when polled.found = 'busy' then unanswered_polls else 0 end,
             gone_polls = case when polled.found = 'gone' then gone_polls + 1
                               when polled.found in ('nothing', 'busy') then gone_polls else 0 end,
             collect_faults = collect_faults + (polled.found in ('no video', 'no use'))::integer,
             holds_slot = case when polled.found in ('nothing', 'busy') then holds_slot
                               else state <> 'collecting' and polled.found = 'pending' end
           from unnest($1::uuid[], $2::bigint[], $3::float8[], $4::float8[], $5::smallint[], $6::text[],
               $7::boolean[])
             as polled (id, fence, in_ms, keep_ms, reached, found, is_past_deadline), relaxed
           where tasks.id = polled.id and tasks.fence = polled.fence
           returning tasks.id`,
    values: [
      steps.map(([id]) => id),
      steps.map(([, fence]) => fence),
      steps.map(([, , inMs]) => inMs),
      steps.map(([, , , keepMs]) => keepMs),
      sorted.map(({ progress }) => progress),
      sorted.map(({ found }) => found),
      sorted.map(({ task }) => task.leftMs <= 0),
    ],
  })
  return new Set(rows.map(({ id }) => idOf('task', id)))
}

/** A finished video is tried to be stored for so long where its provider does not say how long it keeps it: vendors keep a day and more. */
const USUAL_RESULT_LIFE = '3 days'

/** Whatever a provider says, or its clock: a result is tried to be stored for at least this long, and at most so long. */
const LEAST_RESULT_LIFE = '1 hour'
const LONGEST_RESULT_LIFE = '7 days'

/**
 * The provider is done: the task is `collecting`, still in the same worker's hands, and holds no slot. Its deadline is now the end
 * of the result's own life. Returns the milliseconds until then; `undefined`: the lease was lost.
 */
export async function markCollecting(
  db: Queryable,
  task: LeasedTask,
  expiresAt: Date | undefined,
): Promise<number | undefined> {
  const { rows } = await db.query<{ left_ms: number }>({
    name: 'mark-collecting',
    text: `update tasks set state = 'collecting', progress = greatest(progress, 99::smallint), updated_at = now(),
             holds_slot = false,
             deadline_at = greatest(now() + $6::interval, least(now() + $7::interval, coalesce($4::timestamptz, now() + $5::interval)))
           where id = $1 and fence = $2 and state = any ($3)
           returning (extract(epoch from deadline_at - now()) * 1000)::float8 as left_ms`,
    values: [
      ...[uuidOf(task.id), task.fence, statesBefore('collecting'), expiresAt ?? null],
      ...[USUAL_RESULT_LIFE, LEAST_RESULT_LIFE, LONGEST_RESULT_LIFE],
    ],
  })
  return rows[0]?.left_ms
}
