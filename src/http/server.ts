import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { newId } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { DIALECTS } from '../dialects/index.ts'
import { dialectOfPath } from './dialect-of-path.ts'
import { mountHealth } from './health-routes.ts'
import { mountMedia } from './media-route.ts'
import { mountDialect, refuse } from './mount-dialect.ts'
import { parseJson } from './parse-json.ts'
import type { Platform } from './platform.ts'

/** The longest prompt of any model is 5,000 characters, 20 KB at most, escaped 60 KB; the rest is generous. */
const BODY_LIMIT_BYTES = 256 * 1024

/** A client that sends its headers or body more slowly than this holds a connection for nothing. */
const REQUEST_TIMEOUT_MS = 30_000

/** Path parameters are ids. */
const MAX_PARAM_CHARACTERS = 200

export interface ServerOptions {
  readonly platform: Platform
  readonly metricsToken: string | undefined
}

/** Builds the HTTP server: every dialect twice (native paths, and below its name), media, health. */
export function createServer({ platform, metricsToken }: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = platform.log
  const app = fastify({
    loggerInstance,
    disableRequestLogging: true,
    genReqId: () => newId('req'),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    forceCloseConnections: 'idle',
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJson(body),
  )
  observeRequests(app, platform)
  mountHealth(app, { platform, metricsToken })
  mountMedia(app, { db: platform.pool, store: platform.store, links: platform.links })
  for (const dialect of DIALECTS) {
    mountDialect(app, { dialect, platform, prefix: '' })
    mountDialect(app, { dialect, platform, prefix: `/${dialect.id}` })
  }
  app.setNotFoundHandler((request, reply) => {
    const error = new Refusal('route_not_found', `There is no ${request.method} ${request.url.split('?')[0]}.`)
    const dialect = dialectOfPath(DIALECTS, request.url)
    if (dialect !== undefined) return refuse({ dialect, error, request, reply })
    return reply.code(404).send({ error: { code: 'not_found', message: error.message, requestId: request.id } })
  })
  return app
}

/** The request id in each answer, one log line and one measurement for each request. */
function observeRequests(app: FastifyInstance, { metrics }: Platform): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    const { statusCode, elapsedTime } = reply
    metrics.requestSeconds.observe({ route, method: request.method, status: String(statusCode) }, elapsedTime / 1000)
    request.log.info({ method: request.method, route, status: statusCode, ms: Math.round(elapsedTime) }, 'request')
  })
}
