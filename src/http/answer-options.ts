/**
 * OPTIONS at every path, and what browsers need to call an API from a page of another origin (Fetch standard, CORS
 * protocol). A preflight asks before the request that carries the key, so it has none, is counted for no account, and says
 * nothing of the account: only which methods the path has. Keys travel in a header and never in a cookie, so a page can
 * only do what the key that it holds allows.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route is there only to say that its path does not take the method. */
    readonly refuses?: boolean
  }
}

/** How long a browser may remember an answer; the most that Chromium takes is two hours. */
const MAX_AGE_SECONDS = 7_200

/** Names of headers, as browsers list them; longer lists than any client's are not repeated. */
const HEADER_LIST = /^[\w\-, ]{1,2000}$/

/** Headers of answers that scripts may read beside the few that they always may. */
const EXPOSED_HEADERS = [
  'content-disposition',
  'content-range',
  'etag',
  'generation-progress',
  'idempotent-replayed',
  'preference-applied',
  'queue-position',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-reelay-provider',
  'x-request-id',
].join(', ')

/** Answers OPTIONS at each path that is mounted after this. `origins`: whose pages may call; `*` stands for all. */
export function answerOptions(app: FastifyInstance, origins: readonly string[]): void {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRequest', async (request, reply) => allowOrigin(request, reply, origins))
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.refuses === true) return
    const methods = methodsOf.get(url) ?? new Set()
    const isNew = methods.size === 0
    methodsOf.set(url, methods)
    for (const each of [method].flat()) methods.add(each)
    if (!isNew) return
    // Also comes here, and finds the path known.
    app.options(url, async (request, reply) => sendOptions(request, reply, [...methods].join(', ')))
  })
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0) return
  const { origin } = request.headers
  reply.header('vary', 'Origin')
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return
  reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED_HEADERS })
}

function sendOptions(request: FastifyRequest, reply: FastifyReply, methods: string): FastifyReply {
  reply.header('allow', methods)
  if (reply.hasHeader('access-control-allow-origin')) {
    const asked = request.headers['access-control-request-headers']
    reply.headers({ 'access-control-allow-methods': methods, 'access-control-max-age': String(MAX_AGE_SECONDS) })
    if (asked !== undefined && HEADER_LIST.test(asked)) reply.header('access-control-allow-headers', asked)
  }
  return reply.code(204).send()
}
