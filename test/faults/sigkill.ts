/** What the SIGKILL tests share: a look at everything that a server left in its database and on its disk. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { uuidOf } from '../../src/canonical/ids.ts'
import { openPool } from '../../src/db/database.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { STORE_IDENTITY_KEY } from '../../src/media/store-identity.ts'
import type { TestServer } from '../support/server.ts'

/** What the database says of one task. */
export interface TaskTrace {
  readonly state: string
  readonly attempts: readonly string[]
  /** Kinds of its transfers, in order. */
  readonly transfers: readonly string[]
}

/** A task as rows, by its public id. */
export async function traceOf(server: TestServer, id: string): Promise<TaskTrace> {
  return server.withDatabase(async (pool) => {
    const { rows } = await pool.query<TaskTrace>(
      `select state,
         array(select state from attempts where task_id = t.id order by number) as attempts,
         array(select kind from ledger_transfers where task_id = t.id order by id) as transfers
       from tasks t where id = $1`,
      [uuidOf(id as Parameters<typeof uuidOf>[0])],
    )
    assert.ok(rows[0], `${id} is not in the database`)
    return rows[0]
  })
}

/** Once nothing is under way: no rule of the ledger is broken, no credit is held, no task is open. */
export async function assertAtRest(server: TestServer): Promise<void> {
  assert.ok(server.databaseUrl !== undefined)
  const pool = openPool({ connectionString: server.databaseUrl }, 1)
  try {
    assert.deepEqual(await findViolations(pool), [])
    const { rows } = await pool.query(
      `select (select sum(held)::integer from wallets) as held,
         (select count(*)::integer from tasks where finished_at is null) as open,
         (select count(*)::integer from attempts where state in ('starting', 'accepted')) as attempts`,
    )
    assert.deepEqual(rows, [{ held: 0, open: 0, attempts: 0 }])
  } finally {
    await pool.end()
  }
}

/** Files below a folder of the data directory, as relative paths. */
export async function filesIn(server: TestServer, folder: string): Promise<string[]> {
  const root = join(server.dataDirectory, folder)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}

/** The store holds exactly the files that rows name, and its own identity: none is lost, none is left over. */
export async function assertStoreMatchesRows(server: TestServer): Promise<void> {
  const { rows } = await server.withDatabase((pool) =>
    pool.query<{ store_key: string }>('select store_key from media where deleted_at is null order by store_key'),
  )
  const named = [...rows.map((row) => row.store_key), STORE_IDENTITY_KEY]
  // Beside what a worker writes to prove that the store takes files: each has one name for that, and what a kill leaves half
  // written of it the store sweeps by its age.
  const kept = (await filesIn(server, 'media')).filter((file) => !/^(check|\.tmp)\//.test(file))
  assert.deepEqual(kept.sort(), named.sort())
}
