import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError } from '../config/config-error.ts'
import type { Queryable } from '../db/database.ts'
import { claimWorkerName } from '../worker/queries.ts'

/** A killed predecessor's connection is closed by the kernel at once; PostgreSQL notices within this. */
const PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 100

/**
 * Claims the name of this data directory's worker on a connection, for as long as that lives. The embedded database knows
 * its one server by itself; this is for processes that share a `DATABASE_URL`, and were given one directory by mistake.
 */
export async function claimNode(client: Queryable, node: string, dataDirectory: string): Promise<void> {
  for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_EVERY_MS) {
    if (await claimWorkerName(client, node)) return
    await delay(LOOK_EVERY_MS)
  }
  throw new ConfigError(
    `Another Reelay works with the data directory ${dataDirectory}: give each process its own REELAY_DATA_DIR.`,
  )
}
