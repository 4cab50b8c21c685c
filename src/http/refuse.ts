import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Dialect } from '../dialects/dialect.ts'
import { refusalOf } from './refusal-of.ts'
import { requestIdOf } from './request-id.ts'

/** Answers whatever was thrown, in a dialect's words. */
export function refuse(about: {
  readonly dialect: Dialect
  readonly error: unknown
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}): FastifyReply {
  const { dialect, error, request, reply } = about
  const refusal = refusalOf(error, request.routeOptions.bodyLimit)
  if (refusal.code === 'internal') request.log.error({ err: error }, 'request failed')
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  const answer = dialect.renderRefusal(refusal, { requestId: requestIdOf(request) })
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .send(answer.body)
}
