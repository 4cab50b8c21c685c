/**
 * How a connection to the database notices that nothing comes from the other side any more: a frozen server, a network that
 * swallows packets, a machine that lost its power. TCP alone takes a quarter of an hour.
 *
 * Here every statement has a time-out of the client's own (pg destroys the connection of one that runs into it), and idle
 * sockets are probed. There the session is told to notice that this process is gone: by probes of its own, and, while a
 * statement runs, by looking at the socket. So a statement ends soon after its client has, and so do its locks.
 */
import type pg from 'pg'

/** Milliseconds for a connection to be made. */
export const CONNECT_TIMEOUT_MS = 10_000

/**
 * Milliseconds after which the server cancels a statement. None takes longer in health; so a lock that is never released holds
 * up nothing for longer.
 */
export const STATEMENT_TIMEOUT_MS = 30_000

/** Milliseconds after which a statement is given up here: the server's own time-out comes first, if the server is there. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000

/** Milliseconds after which the server ends a session that does nothing within a transaction: none of ours pauses in one. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000

/** What a connection whose statements are short is opened with. */
export const IMPATIENT: pg.ClientConfig = {
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: ANSWER_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
}

/** Probes after 10 s of silence, every 5 s, given up after 3; and 25 s for what was sent to be acknowledged. */
const NOTICE_SILENCE = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 25000`

/** Whether the client is still there is looked at each second of a statement: it costs a system call. */
const NOTICE_LEAVING = "set client_connection_check_interval = '1s'"

/** Tells a new session to notice that its client is gone. A server on a system that cannot do one of it goes without. */
export async function noticeGoneClients(client: pg.ClientBase): Promise<void> {
  for (const statement of [NOTICE_SILENCE, NOTICE_LEAVING]) {
    await client.query(statement).catch((error: unknown) => {
      const isUnsupported = error instanceof Error && 'code' in error && error.code === INVALID_PARAMETER_VALUE
      if (!isUnsupported) throw error
    })
  }
}

/** SQLSTATE of a setting that the server's system does not have. */
const INVALID_PARAMETER_VALUE = '22023'
