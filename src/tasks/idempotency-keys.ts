import type { Queryable } from '../db/database.ts'
import { GatheredReads } from '../db/gathered-reads.ts'
import { type AskedIdempotencyKey, selectIdempotencyKeys, type UsedIdempotencyKey } from './queries.ts'

/** Keys in one statement, as many as creates go in one. */
const MAX_BATCH = 256

/** As for creates: while one statement runs the next is gathered. */
const MAX_IN_FLIGHT = 2

/** Tells what an idempotency key stands for; `undefined` while it was not used. */
export type IdempotencyKeys = GatheredReads<AskedIdempotencyKey, UsedIdempotencyKey | undefined>

/** One per process: creates that come at once have their keys looked up in one statement. */
export function idempotencyKeys(db: Queryable): IdempotencyKeys {
  return new GatheredReads<AskedIdempotencyKey, UsedIdempotencyKey | undefined>({
    read: (keys) => selectIdempotencyKeys(db, keys),
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
  })
}
