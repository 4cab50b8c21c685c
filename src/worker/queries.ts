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

/** Tasks that have not ended, by state. */
export async function countOpenTasks(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query<{ state: string; tasks: number }>(
    `select state, count(*)::integer as tasks from tasks
     where state in ('queued', 'submitting', 'running', 'collecting') group by state`,
  )
  return new Map(rows.map((row) => [row.state, row.tasks]))
}
