/**
 * What says that the database cannot do its work for now: it starts, stops, recovers, is full, has no connection left, may not
 * write (a replica, a disk that fails), gave up on a lock or a statement, or does not answer.
 */

/** SQLSTATEs, and the system errors of a socket. */
const AWAY = new RegExp(
  `^(${[
    // Of connections; invalid credentials after they were changed, until the operator has changed them here, too.
    ...['08...', '28000', '28P01', '57P0[0-5]', '53300', '25P0[34]'],
    // Of resources: out of disk or memory, a limit of the configuration, a read or write that failed.
    ...['53100', '53200', '53400', '58030', '58P01'],
    // Of a server that may not write: a replica, or one that was told so.
    '25006',
    // Of statements that others were in the way of.
    ...['57014', '40001', '40P01', '55P03'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ENOENT', 'EPIPE', 'ETIMEDOUT'],
    ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN'],
  ].join('|')})$`,
)

/** What has to be mended by the operator first: a client need not come again within seconds. */
const OUT_OF_ORDER = /^(53100|53200|53400|58030|58P01|25006|28000|28P01)$/

/** What node-postgres says, without a code, of a connection that it lost, gave up on or could not get. */
const LOST_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed/

/** SQLSTATEs and system errors after which a connection is of no use. */
const LOST = /^(08...|57P0[1-5]|25P0[34]|E[A-Z_]+)$/

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

/** Whether an error says that the database is away for now: the same request may pass later. */
export function isDatabaseAway(error: unknown): error is Error {
  return error instanceof Error && (AWAY.test(codeOf(error)) || LOST_MESSAGE.test(error.message))
}

/** Whether it is away until an operator has mended something: a full disk, a read-only server, wrong credentials. */
export function isDatabaseOutOfOrder(error: unknown): boolean {
  return error instanceof Error && OUT_OF_ORDER.test(codeOf(error))
}

/** Whether an error says that the connection itself is lost, or silent: nothing more can be said over it. */
export function isConnectionLost(error: unknown): error is Error {
  return error instanceof Error && (LOST.test(codeOf(error)) || LOST_MESSAGE.test(error.message))
}
