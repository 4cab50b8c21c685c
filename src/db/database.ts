import pg from 'pg'
import { isConnectionLost } from './database-away.ts'
import { IMPATIENT, noticeGoneClients } from './silent-peer.ts'

/** A pool, or one client inside a transaction: whatever can run a statement. */
export type Queryable = Pick<pg.Pool, 'query'>

/** Credits and sizes are 64-bit: read as bigint, never as a float or a string. */
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, BigInt)

/** Opens a pool of at most `maxConnections`. Connections are made when first needed. */
export function openPool(config: pg.PoolConfig, maxConnections: number): pg.Pool {
  const pool = new pg.Pool({
    ...IMPATIENT,
    application_name: 'reelay',
    types,
    onConnect: noticeGoneClients,
    ...config,
    max: maxConnections,
  })
  // A connection that breaks is replaced on the next query, be it idle or lent to a transaction that is between two
  // statements; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', ignoreBrokenConnection))
  pool.on('error', ignoreBrokenConnection)
  return pool
}

function ignoreBrokenConnection(): void {
  // The statement that meets it says so.
}

/** Runs `work` in one transaction on one connection; rolls back when it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    // A connection that is silent would not answer to a rollback either: it is closed, and the server rolls back.
    if (isConnectionLost(error)) broken = error
    else {
      await client.query('rollback').catch((cause: Error) => {
        broken = cause
      })
    }
    throw error
  } finally {
    client.release(broken)
  }
}
