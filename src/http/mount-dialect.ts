import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { KeyHolder } from '../accounts/queries.ts'
import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { Dialect, RenderContext, Route, WireAnswer } from '../dialects/dialect.ts'
import { executorFor } from './execute.ts'
import type { Platform } from './platform.ts'
import { refusalOf } from './refusal-of.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Mounts a dialect at its native paths, or below `prefix`. Everything inside answers in the dialect's words. */
export function mountDialect(
  app: FastifyInstance,
  { dialect, platform, prefix }: { dialect: Dialect; platform: Platform; prefix: string },
): void {
  app.register(
    async (scope) => {
      scope.setErrorHandler((error, request, reply) => refuse({ dialect, error, request, reply }))
      for (const route of dialect.routes) mountRoute(scope, { dialect, route, platform })
      for (const path of new Set(dialect.routes.map((route) => route.path))) refuseOtherMethods(scope, dialect, path)
    },
    { prefix },
  )
}

function mountRoute(
  app: FastifyInstance,
  { dialect, route, platform }: { dialect: Dialect; route: Route; platform: Platform },
): void {
  const holders = new WeakMap<FastifyRequest, KeyHolder>()
  const { scope } = route
  const context: RenderContext = { urlOf: (media) => platform.links.urlOf(media) }
  app.route<{ Params: Record<string, string>; Querystring: Record<string, string | string[]>; Body: Json | undefined }>(
    {
      method: route.method,
      url: route.path,
      // Before the body is read: nobody without a key can make us parse anything.
      onRequest: async (request) => {
        if (scope === undefined) return
        const holder = await platform.authenticator.authenticate(request.headers.authorization, scope)
        holders.set(request, holder)
      },
      handler: async (request, reply) => {
        const { params, query, headers, body } = request
        const execute = executorFor(platform, { dialect: dialect.id, holder: holders.get(request), body })
        return send(reply, await route.answer({ params, query, headers, body }, execute, context))
      },
    },
  )
}

/** A path that exists answers every other method with 405 and says which it takes. */
function refuseOtherMethods(app: FastifyInstance, dialect: Dialect, path: string): void {
  const taken = dialect.routes.filter((route) => route.path === path).map((route) => route.method)
  const allow = taken.join(', ')
  const refuseMethod = async (request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    reply.header('allow', allow)
    throw new Refusal('method_not_allowed', `${request.method} is not a method of this path; allowed: ${allow}.`)
  }
  app.route({
    method: METHODS.filter((method) => !taken.some((each) => each === method)),
    url: path,
    // Before a body is read: what is wrong with it does not matter.
    onRequest: refuseMethod,
    handler: refuseMethod,
  })
}

/** Sends a refusal in a dialect's words. */
export function refuse(about: {
  readonly dialect: Dialect
  readonly error: unknown
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}): FastifyReply {
  const { dialect, error, request, reply } = about
  const refusal = refusalOf(error)
  if (refusal.code === 'internal') request.log.error({ err: error }, 'request failed')
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', String(refusal.retryAfterSeconds))
  return send(reply, dialect.renderRefusal(refusal, { requestId: request.id }))
}

function send(reply: FastifyReply, answer: WireAnswer): FastifyReply {
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .send(answer.body)
}
