import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError } from '../config/config-error.ts'
import type { Queryable } from '../db/database.ts'
import { claimWorkerName } from '../worker/queries.ts'

/** A killed predecessor's connection is closed by the kernel at once; PostgreSQL notices within this. */
export const START_PATIENCE_MS = 5_000

/**
 * For a process that lost its connection: where the network swallowed it, PostgreSQL holds the lock for the old one until its
 * probes have told it (25 s).
 */
export const RECLAIM_PATIENCE_MS = 45_000

const LOOK_EVERY_MS = 100

/**
 * Claims the name of this data directory's worker on a connection, for as long as that lives. The embedded database knows
 * its one server by itself; this is for processes that share a `DATABASE_URL`, and were given one directory by mistake.
 */
export async function claimNode(
  client: Queryable,
  { node, dataDirectory, patienceMs }: { node: string; dataDirectory: string; patienceMs: number },
): Promise<void> {
  for (let waited = 0; waited <= patienceMs; waited += LOOK_EVERY_MS) {
    if (await claimWorkerName(client, node)) return
    await delay(LOOK_EVERY_MS)
  }
  throw new ConfigError(
    `Another Reelay works with the data directory ${dataDirectory}: give each process its own REELAY_DATA_DIR.`,
  )
}
