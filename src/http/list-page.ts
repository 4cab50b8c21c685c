import pg from 'pg'
import { Refusal } from '../canonical/refusal.ts'
import type { Queryable } from '../db/database.ts'
import type { Reader } from './database-turns.ts'
import type { Platform } from './platform.ts'

/** SQLSTATE of a statement that the server ended, here because it took longer than a page of a list may. */
const QUERY_CANCELED = '57014'

/** A page takes milliseconds: one that does not, does not for as long as the database is overloaded. */
const RETRY_SECONDS = 5

/**
 * Reads a page of a list for a customer, over the connections that lists have to themselves: however slow pages become, they
 * take none from creates. Throws an `unavailable` refusal for a page that takes too long.
 */
export async function listPage<T>(platform: Platform, reader: Reader, read: (db: Queryable) => Promise<T>): Promise<T> {
  try {
    return await platform.listTurns.read(reader, read)
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError && cause.code === QUERY_CANCELED)) throw cause
    throw new Refusal('unavailable', 'The page could not be read in time; try again, or ask for a smaller one.', {
      cause,
      retryAfterSeconds: RETRY_SECONDS,
    })
  }
}
