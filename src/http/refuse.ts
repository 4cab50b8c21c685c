import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Refusal } from '../canonical/refusal.ts'
import type { JsonAnswer } from '../dialects/dialect.ts'
import { refusalOf } from './refusal-of.ts'

/**
 * Answers whatever was thrown, in the words that `render` has for it. A fault of ours is an error in the log; what breaks
 * off because the client has left is not.
 */
export function refuse(about: {
  readonly render: (refusal: Refusal) => JsonAnswer
  readonly error: unknown
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}): FastifyReply {
  const { render, error, request, reply } = about
  const refusal = refusalOf(error, request.routeOptions.bodyLimit)
  if (refusal.code === 'internal') {
    if (request.raw.socket.destroyed) request.log.info({ err: error }, 'the client disconnected before its answer')
    else request.log.error({ err: error }, 'request failed')
  } else if (refusal.code === 'unavailable' && refusal.cause !== undefined) {
    request.log.warn({ err: refusal.cause }, 'the request cannot be served at the moment')
  }
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  const answer = render(refusal)
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .send(answer.body)
}
