import type { Queryable } from '../db/database.ts'

/**
 * The shortest time between two looks at a job that hints ask for, as PostgreSQL writes it. Vendors tell of an event once;
 * a flood of hints, by mistake or from whoever learnt the address, costs a task what a usual poll interval does.
 */
export const HINT_PAUSE = '5 seconds'

/** When `t` may be looked at for a hint. */
const NEXT_LOOK = `greatest(now(), t.hinted_at + interval '${HINT_PAUSE}')`

/** A job that may have ended, by the provider's name and the `id` of its operation. */
export interface JobHint {
  readonly provider: string
  readonly jobId: string
}

/**
 * Has a job that is under way looked at now: its next step becomes due, no sooner than `HINT_PAUSE` after the last look of
 * that kind, and never later than it was. A step that is under way is left alone, and followed by another look. Nothing
 * else changes, whatever the hint was; one about no such job changes nothing. True: a step is due now.
 */
export async function hurryHintedTask(db: Queryable, { provider, jobId }: JobHint): Promise<boolean> {
  const { rows } = await db.query<{ is_due: boolean }>({
    name: 'hurry-hinted-task',
    text: `with hinted as (
             update tasks t set
               due_at = case when t.due_at = t.lease_until then t.due_at else ${NEXT_LOOK} end,
               hinted_at = case when t.due_at = t.lease_until then 'infinity' else ${NEXT_LOOK} end
             where t.id = (
                 select a.task_id from attempts a
                 where a.provider = $1 and a.operation ->> 'id' = $2 and a.state = 'accepted'
                   and a.id = (select last.id from last_attempt(a.task_id) last)
                 order by a.id desc limit 1)
               and t.provider = $1 and t.state = 'running' and t.parked_at is null
               and (${NEXT_LOOK} < t.due_at or (t.due_at = t.lease_until and t.hinted_at is distinct from 'infinity'))
             returning t.due_at
           )
           select coalesce(bool_or(due_at <= now()), false) as is_due from hinted`,
    values: [provider, jobId],
  })
  return rows[0]?.is_due === true
}
