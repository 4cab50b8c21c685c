import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { newId, uuidOf } from '../canonical/ids.ts'
import { Refusal } from '../canonical/refusal.ts'
import { DIALECTS } from '../dialects/index.ts'
import { answerOptions } from './answer-options.ts'
import { answerExpectation, answerUnparsed } from './answer-unparsed.ts'
import { AnswersUnderWay } from './answers-under-way.ts'
import { endStalledAnswers } from './end-stalled-answers.ts'
import { mountHealth } from './health-routes.ts'
import { likelyPath } from './likely-path.ts'
import { lingerIfUnread } from './linger.ts'
import { mountManifest } from './manifest-route.ts'
import { mountMedia } from './media-route.ts'
import { mountDialect } from './mount-dialect.ts'
import { mountOpenApi } from './openapi-routes.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'
import { parseLargeJson } from './parse-large-json.ts'
import type { Platform } from './platform.ts'
import { mountProviderWebhooks } from './provider-webhook-route.ts'
import { refusalAnswer } from './refusal-answer.ts'
import { refuse } from './refuse.ts'
import { requestIdOf } from './request-id.ts'
import { serverStopping } from './server-stopping.ts'

/**
 * The largest upload, 50 MiB, over a line of 1.5 Mbit/s, and nothing that comes more slowly. Bodies that are no forms have
 * less time: `end-slow-body.ts`; large ones that stall are ended before: `end-stalled-body.ts`.
 */
const REQUEST_TIMEOUT_MS = 300_000

/** A client that sends its headers more slowly than this holds a connection for nothing. */
const HEADERS_TIMEOUT_MS = 30_000

/** Path parameters are ids. */
const MAX_PARAM_CHARACTERS = 200

/**
 * What is still open this long after the server began to close is cut off: a connection on which nothing comes, a
 * download that is read slowly and can be resumed. Answers take milliseconds, and those that wait end at once. The rest
 * of the 10 s of a stop is for what closes after HTTP: the database, above all the embedded one.
 */
const CLOSING_PATIENCE_MS = 3_000

/** How much of an unknown path an answer repeats. */
const SHOWN_PATH_CHARACTERS = 200

/** In place of a path that is not ours: a label for each would be a metric without bounds. */
const UNKNOWN_ROUTE = 'unknown'

export interface ServerOptions {
  readonly platform: Platform
  readonly metricsToken: string | undefined
  /** `REELAY_PUBLIC_URL`, if it is set: customers come through a proxy. */
  readonly publicUrl: string | undefined
  /** Of browsers' pages that may call the APIs; `*` stands for all. */
  readonly corsOrigins: readonly string[]
}

/** Builds the HTTP server: every dialect twice (native paths, and below its name) unless two clash, media, health. */
export function createServer({ platform, metricsToken, publicUrl, corsOrigins }: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = platform.log
  const app = fastify({
    loggerInstance,
    // One line of our own for each request, in observeRequests.
    logController: new LogController({ disableRequestLogging: true }),
    // Refused in refuseWrongHost instead, in the dialect's words.
    http: { requireHostHeader: false },
    genReqId: () => newId('req'),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // People and configured base URLs end with a slash, or have one twice.
    routerOptions: {
      maxParamLength: MAX_PARAM_CHARACTERS,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
    },
    clientErrorHandler: (error, socket) => answerUnparsed(error, socket, { underWay, log: platform.log }),
    // A URL that the router cannot read reaches no hook.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      refuseUnmounted(error, request, reply)
      request.log.info({ method: request.method, route: UNKNOWN_ROUTE, status: reply.statusCode }, 'request')
    },
    forceCloseConnections: 'idle',
    // Refused in endConnections instead, in the dialect's words.
    return503OnClosing: false,
  })
  app.server.headersTimeout = HEADERS_TIMEOUT_MS
  const underWay = new AnswersUnderWay(app.server)
  endStalledAnswers(app.server, underWay)
  app.server.on('checkExpectation', (request, response) => answerExpectation(request, response, platform.log))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseLargeJson(body),
  )
  observeRequests(app, platform)
  endConnections(app)
  answerOptions(app, corsOrigins)
  app.addHook('onSend', async (request, reply) => lingerIfUnread(request, reply))
  mountHealth(app, { platform, metricsToken, publicUrl })
  mountMedia(app, { db: platform.pool, store: platform.store, links: platform.links })
  mountManifest(app, {
    db: platform.pool,
    store: platform.store,
    links: platform.links,
    publicKey: platform.signingKey.publicKey,
  })
  mountProviderWebhooks(app, {
    db: platform.pool,
    waker: platform.waker,
    addresses: platform.webhookAddresses,
    provider: platform.provider,
  })
  for (const dialect of DIALECTS) {
    if (dialect.isBelowPrefixOnly !== true) mountDialect(app, { dialect, platform, prefix: '' })
    mountDialect(app, { dialect, platform, prefix: `/${dialect.id}` })
    mountOpenApi(app, { dialect, platform })
  }
  app.setErrorHandler(refuseUnmounted)
  return app
}

/** The request id in each answer, one log line and one measurement for each request. */
function observeRequests(app: FastifyInstance, { metrics }: Platform): void {
  app.addHook('onRequest', async (request, reply) => {
    // What is sent is of the type that it says, error messages and videos of others included.
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' })
    refuseWrongHost(request)
    // Here, before a body is read: what is wrong with a body matters to nobody when there is no such path.
    if (request.is404) throw routeNotFound(request)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? UNKNOWN_ROUTE
    const { statusCode, elapsedTime } = reply
    // The request id once more, in the form of a trace id, which is how some dialects show it.
    const traceId = uuidOf(requestIdOf(request))
    metrics.requestSeconds.observe({ route, method: request.method, status: String(statusCode) }, elapsedTime / 1000)
    const ms = Math.round(elapsedTime)
    request.log.info({ method: request.method, route, status: statusCode, ms, traceId }, 'request')
  })
}

/**
 * Once the server closes, a connection ends with the answer that is under way on it. Closing ends those that are idle at
 * that moment alone: one that is busy then would be kept alive, and the stop with it, for longer than a stop may take. To
 * Node a connection that has sent nothing, or half a head, is busy too: patience with those has an end.
 */
function endConnections(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    // With nothing left to cut off, it need not come.
    setTimeout(() => app.server.closeAllConnections(), CLOSING_PATIENCE_MS).unref()
  })
  app.addHook('onRequest', async () => {
    if (isClosing) throw serverStopping()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async () => {
    if (isClosing) setImmediate(() => app.server.closeIdleConnections())
  })
}

/** Refuses what no dialect has taken on, in the words of the one that it was most likely meant for. */
function refuseUnmounted(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return refuse({
    error,
    request,
    reply,
    render: (refusal) => refusalAnswer(refusal, { path: request.url, requestId: requestIdOf(request) }),
  })
}

/** HTTP/1.1 wants one `Host` header (RFC 9112, 3.2): of two, a proxy before us may have read the other one. */
function refuseWrongHost({ raw: { rawHeaders, httpVersion } }: FastifyRequest): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length === 1 || (hosts.length === 0 && httpVersion === '1.0')) return
  throw new Refusal('malformed_body', `The request has ${hosts.length} Host headers; allowed: one.`)
}

function routeNotFound({ method, url }: FastifyRequest): Refusal {
  const meant = likelyPath(DIALECTS, method, url)
  const hint = meant === undefined ? '' : ` The path is ${meant}.`
  return new Refusal('route_not_found', `There is no ${method} ${shownPath(url)}.${hint}`)
}

function shownPath(url: string): string {
  return url.split('?')[0]?.slice(0, SHOWN_PATH_CHARACTERS) ?? ''
}
