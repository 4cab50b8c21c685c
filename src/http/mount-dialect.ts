import { setMaxListeners } from 'node:events'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requestsPerMinuteOf } from '../accounts/plans.ts'
import type { KeyHolder } from '../accounts/queries.ts'
import type { RequestKind } from '../accounts/rate-limit.ts'
import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { CommandKind, Dialect, RenderContext, Route } from '../dialects/dialect.ts'
import { executorFor } from './execute.ts'
import { takeForms } from './parse-form.ts'
import type { Platform } from './platform.ts'
import { preferredWait } from './preferred-wait.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { refuse } from './refuse.ts'
import { requestIdOf } from './request-id.ts'
import { sendAnswer } from './send-answer.ts'
import { whenNobodyWaits } from './when-nobody-waits.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Mounts a dialect at its native paths, or below `prefix`. Everything inside answers in the dialect's words. */
export function mountDialect(
  app: FastifyInstance,
  { dialect, platform, prefix }: { dialect: Dialect; platform: Platform; prefix: string },
): void {
  app.register(
    async (scope) => {
      scope.setErrorHandler((error, request, reply) => refuse({ dialect, error, request, reply }))
      if (dialect.takesForms === true) takeForms(scope)
      const stopping = new AbortController()
      // One listener for each request that waits, however many.
      setMaxListeners(0, stopping.signal)
      scope.addHook('preClose', async () => stopping.abort())
      for (const route of dialect.routes) mountRoute(scope, { dialect, route, platform, stopping: stopping.signal })
      for (const path of new Set(dialect.routes.map((route) => route.path))) refuseOtherMethods(scope, dialect, path)
    },
    { prefix },
  )
}

function mountRoute(
  app: FastifyInstance,
  { dialect, route, platform, stopping }: { dialect: Dialect; route: Route; platform: Platform; stopping: AbortSignal },
): void {
  const holders = new WeakMap<FastifyRequest, KeyHolder>()
  const { scope } = route
  app.route<{ Params: Record<string, string>; Querystring: Record<string, string | string[]>; Body: Json | undefined }>(
    {
      // HEAD by the same handler: the one that fastify adds by itself says that a file which is not sent has 0 bytes.
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      // Before the body is read: nobody without a key, or beyond the limit, can make us parse anything. So a request that
      // is found wrong later has been counted; one that is refused for its key counts for nobody.
      onRequest: async (request, reply) => {
        if (scope === undefined) return
        const holder = await platform.authenticator.authenticate(request.headers.authorization, scope)
        holders.set(request, holder)
        await countRequest(platform, { holder, kind: requestKind(route.kind), reply })
      },
      handler: async (request, reply) => {
        const { params, query, headers, body } = request
        const requestId = requestIdOf(request)
        const waitSeconds = route.kind === 'get' ? preferredWait(headers.prefer) : undefined
        if (waitSeconds !== undefined) reply.header('preference-applied', `wait=${waitSeconds}`)
        const waits = route.kind === 'follow' || waitSeconds !== undefined
        const signal = waits ? whenNobodyWaits(reply.raw, stopping) : stopping
        const asking = { dialect: dialect.id, holder: holders.get(request), body, requestId, waitSeconds, signal }
        const context: RenderContext = { urlOf: (media) => platform.links.urlOf(media), requestId }
        const answer = await route.answer({ params, query, headers, body }, executorFor(platform, asking), context)
        return sendAnswer(answer, { request, reply, platform })
      },
    },
  )
}

function requestKind(command: CommandKind): RequestKind {
  return command === 'create' || command === 'follow' ? 'create' : 'read'
}

/** Counts a request and says in its answer, whatever that will be, how many are left. Throws if there were none. */
async function countRequest(
  { rateLimiter }: Platform,
  { holder, kind, reply }: { holder: KeyHolder; kind: RequestKind; reply: FastifyReply },
): Promise<void> {
  const { account } = holder
  const state = await rateLimiter.take(account.id, kind, requestsPerMinuteOf(account))
  reply.headers(rateLimitHeaders(kind, state))
  if (state.allowed) return
  const { limit, resetAfterSeconds } = state
  throw new Refusal(
    'rate_limited',
    `Too many requests: this account may make ${limit} ${kind} requests a minute; try again in ${resetAfterSeconds} s.`,
    { retryAfterSeconds: resetAfterSeconds },
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
