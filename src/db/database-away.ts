/** SQLSTATEs of a server that is starting, stopping, full, cut off or too slow, and the system errors of a broken socket. */
const AWAY = /^(57P0[0-5]|57014|40P01|08...|53300|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT)$/

/** What node-postgres says, without a code, of a connection that it lost or could not get. */
const AWAY_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/

/** Whether an error says that the database is away for now: the same request may pass in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && AWAY.test(String(error.code))) || AWAY_MESSAGE.test(error.message)
}
