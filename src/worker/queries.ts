import type { Queryable } from '../db/database.ts'

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

/** Tasks that have not ended, by state. Two counts, each of which has an index that holds no ended task. */
export async function countOpenTasks(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query<{ state: string; tasks: number }>(
    `select 'queued' as state, count(*)::integer as tasks from tasks where state = 'queued'
     union all
     select state, count(*)::integer from tasks
     where state in ('submitting', 'running', 'collecting') group by state`,
  )
  return new Map(rows.map((row) => [row.state, row.tasks]))
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
