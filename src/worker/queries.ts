import type { Queryable } from '../db/database.ts'
import type { OpenTasks } from '../observe/metrics.ts'

/** Says that a worker is alive. Silent ones are forgotten after a day. */
export async function upsertWorker(db: Queryable, worker: string): Promise<void> {
  await db.query(
    `with gone as (delete from workers where seen_at < now() - interval '1 day')
     insert into workers (id) values ($1) on conflict (id) do update set seen_at = now()`,
    [worker],
  )
}

export async function deleteWorker(db: Queryable, worker: string): Promise<void> {
  await db.query('delete from workers where id = $1', [worker])
}

/** Tasks that have not ended, by provider and state. Two counts, each of which has an index that holds no ended task. */
export async function countOpenTasks(db: Queryable): Promise<OpenTasks[]> {
  const { rows } = await db.query<{ provider: string; state: string; tasks: number }>(
    `select provider, 'queued' as state, count(*)::integer as tasks from tasks where state = 'queued' group by provider
     union all
     select provider, state, count(*)::integer from tasks
     where state in ('submitting', 'running', 'collecting') group by provider, state`,
  )
  return rows
}

/**
 * Makes the connection of `client` the one that works under this name, for as long as it lives; false if another does.
 * Two processes on one data directory would take each other's tasks for those of a dead predecessor.
 */
export async function claimWorkerName(client: Queryable, worker: string): Promise<boolean> {
  const { rows } = await client.query<{ claimed: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, 0)) as claimed',
    [`reelay worker ${worker}`],
  )
  return rows[0]?.claimed === true
}
