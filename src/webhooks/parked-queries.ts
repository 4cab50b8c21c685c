/** Statements about deliveries that a restore has parked: the original may have made them since. */
import { idOf, uuidOf } from '../canonical/ids.ts'
import type { Queryable } from '../db/database.ts'
import type { DeliveryId } from './delivery.ts'

const IS_PARKED = `parked_at is not null and state = 'pending'`

export async function countParkedDeliveries(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ parked: number }>(
    `select count(*)::integer as parked from deliveries where ${IS_PARKED}`,
  )
  return rows[0]?.parked ?? 0
}

/** Has parked deliveries made now; `undefined` means all of them. Returns which. */
export async function resumeDeliveries(db: Queryable, ids: readonly DeliveryId[] | undefined): Promise<DeliveryId[]> {
  return await changeParked(db, ids, 'parked_at = null, due_at = now()')
}

/** Gives parked deliveries up: they are never made, unless `deliveries retry` asks for it. Returns which. */
export async function dropDeliveries(db: Queryable, ids: readonly DeliveryId[] | undefined): Promise<DeliveryId[]> {
  const change = `state = 'failed', ended_at = now(), last_error = 'Dropped by the operator after a restore.'`
  return await changeParked(db, ids, change)
}

async function changeParked(
  db: Queryable,
  ids: readonly DeliveryId[] | undefined,
  change: string,
): Promise<DeliveryId[]> {
  const { rows } = await db.query<{ id: string }>(
    `update deliveries set ${change}, fence = fence + 1 where ${IS_PARKED} and ($1::uuid[] is null or id = any ($1)) returning id`,
    [ids?.map(uuidOf) ?? null],
  )
  return rows.map(({ id }) => idOf('msg', id))
}
