import type { Queryable } from '../db/database.ts'
import type { OpenTasks } from '../observe/metrics.ts'

/**
 * Says that a worker is alive, which providers it drives, and why it cannot store videos, if it cannot. Silent ones are forgotten
 * after a day.
 */
export async function upsertWorker(
  db: Queryable,
  worker: string,
  { providers, storageFault }: { readonly providers: readonly string[]; readonly storageFault: string | undefined },
): Promise<void> {
  await db.query(
    `with gone as (delete from workers where seen_at < now() - interval '1 day')
     insert into workers (id, providers, storage_fault) values ($1, $2, $3)
     on conflict (id) do update
       set seen_at = now(), providers = excluded.providers, storage_fault = excluded.storage_fault`,
    [worker, providers, storageFault ?? null],
  )
}

export async function deleteWorker(db: Queryable, worker: string): Promise<void> {
  await db.query('delete from workers where id = $1', [worker])
}

/** Tasks that have not ended, by provider and state, or as `parked`. Each count has an index that holds no ended task. */
export async function countOpenTasks(db: Queryable): Promise<OpenTasks[]> {
  const { rows } = await db.query<{ provider: string; state: string; tasks: number }>(
    `select provider, 'queued' as state, count(*)::integer as tasks from tasks
     where state = 'queued' and parked_at is null group by provider
     union all
     select provider, state, count(*)::integer from tasks
     where state in ('submitting', 'running', 'collecting') and parked_at is null group by provider, state
     union all
     select provider, 'parked', count(*)::integer from tasks
     where parked_at is not null and state in ('queued', 'submitting', 'running', 'collecting') group by provider`,
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
