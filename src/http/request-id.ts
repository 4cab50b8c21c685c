import type { FastifyRequest } from 'fastify'
import { type Id, parseId } from '../canonical/ids.ts'

/** The id that the server gave to a request: in the log, in the answer's header, and with the task that it creates. */
export function requestIdOf(request: FastifyRequest): Id<'req'> {
  const id = parseId('req', request.id)
  if (id === undefined) throw new Error(`${request.id} is not a request id of ours`)
  return id
}
