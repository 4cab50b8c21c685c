import type pg from 'pg'
import type { Queryable } from './database.ts'

/**
 * The pool for statements whose answer is for one client alone, and of no use once that has left: a page of a list, a batch. Then
 * the connection of the statement is closed, which the server notices within a second and ends the statement (`silent-peer.ts`):
 * otherwise a client that asks and leaves, again and again, would keep the database busy in vain. Never for what must finish.
 */
export function untilLeaving(pool: pg.Pool, leaving: AbortSignal): Queryable {
  return new Proxy(pool, {
    get: (target, name) =>
      name === 'query'
        ? (...args: Parameters<pg.Pool['query']>) => queryUntil(leaving, target, args)
        : Reflect.get(target, name, target),
  })
}

async function queryUntil(leaving: AbortSignal, pool: pg.Pool, args: Parameters<pg.Pool['query']>): Promise<unknown> {
  leaving.throwIfAborted()
  const client = await pool.connect()
  let isReleased = false
  const release = (broken?: Error): void => {
    if (!isReleased) client.release(broken)
    isReleased = true
  }
  const leave = (): void => release(new Error('the client has left'))
  leaving.addEventListener('abort', leave)
  try {
    leaving.throwIfAborted()
    return await client.query(...args)
  } catch (error) {
    // As the pool does it: after an error it is not known what the connection is good for.
    release(error instanceof Error ? error : new Error(String(error)))
    leaving.throwIfAborted()
    throw error
  } finally {
    leaving.removeEventListener('abort', leave)
    release()
  }
}
