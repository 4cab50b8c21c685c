import pg from 'pg'
import { CONNECT_TIMEOUT_MS, noticeGoneClients } from '../db/silent-peer.ts'
import { findViolations, type Violation } from './invariants.ts'

/** What a proof of the ledger came to. That it could not be made says nothing about the ledger. */
export type Proof =
  | { readonly kind: 'sound' }
  | { readonly kind: 'violated'; readonly violations: readonly [Violation, ...Violation[]] }
  | { readonly kind: 'not_examined'; readonly reason: string }

/** A table that is locked for longer than this (a migration, an import) is examined another time. */
const LOCK_TIMEOUT_MS = 60_000

/**
 * Proves the ledger on a connection of its own. The proof reads every transfer and every task, so it takes as long as it takes:
 * seconds for 100,000 tasks, minutes for millions. A statement time-out, such as the pool's, would end it on exactly the
 * installations that have the most to lose. It ends with this process.
 */
export async function proveLedger(config: pg.ClientConfig): Promise<Proof> {
  const client = new pg.Client({
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    ...config,
    application_name: 'reelay-proof',
    statement_timeout: false,
    lock_timeout: LOCK_TIMEOUT_MS,
  })
  // The statement that meets a broken connection says so.
  client.on('error', () => {})
  try {
    await client.connect()
    await noticeGoneClients(client)
    // The role or the database may have time-outs of its own.
    await client.query('set statement_timeout = 0')
    const [first, ...others] = await findViolations(client)
    return first === undefined ? { kind: 'sound' } : { kind: 'violated', violations: [first, ...others] }
  } catch (error) {
    return { kind: 'not_examined', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    await client.end().catch(() => {})
  }
}
