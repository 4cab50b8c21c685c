import pg from 'pg'

/** A pool, or one client inside a transaction: whatever can run a statement. */
export type Queryable = Pick<pg.Pool, 'query'>

/** Milliseconds to wait for a free connection before a request is refused as unavailable. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * No statement of ours takes longer in health; past this the server cancels it, so that a lock that is never released
 * cannot hold up everything behind it.
 */
const STATEMENT_TIMEOUT_MS = 30_000

/** Credits and sizes are 64-bit: read as bigint, never as a float or a string. */
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, BigInt)

/** Opens a pool of at most `maxConnections`. Connections are made when first needed. */
export function openPool(config: pg.PoolConfig, maxConnections: number): pg.Pool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: 'reelay',
    types,
    ...config,
    max: maxConnections,
  })
  // An idle connection that breaks is replaced on the next query; without a listener it would end the process.
  pool.on('error', () => {})
  return pool
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
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    throw error
  } finally {
    client.release(broken)
  }
}
