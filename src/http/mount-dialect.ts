import { setMaxListeners } from 'node:events'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { assertScope } from '../accounts/authenticate.ts'
import { requestsPerMinuteOf } from '../accounts/plans.ts'
import type { KeyHolder } from '../accounts/queries.ts'
import type { RequestKind } from '../accounts/rate-limit.ts'
import type { Json } from '../canonical/json.ts'
import { Refusal } from '../canonical/refusal.ts'
import type { CommandKind, Dialect, RenderContext, Route } from '../dialects/dialect.ts'
import { withoutNulls } from '../dialects/without-nulls.ts'
import { BODY_WITH_REFERENCES_LIMIT_BYTES } from './body-limits.ts'
import { decodeBody, knownLength } from './decode-body.ts'
import { endSlowBody } from './end-slow-body.ts'
import { endStalledBody } from './end-stalled-body.ts'
import { type Asking, executorFor } from './execute.ts'
import { takeForms, takeFormsOnly } from './parse-form.ts'
import { BODY_LIMIT_BYTES } from './parse-json.ts'
import type { Platform } from './platform.ts'
import { preferredWait } from './preferred-wait.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { ReceivedFiles, receivedFilesOf } from './received-files.ts'
import { refuse } from './refuse.ts'
import { requestIdOf } from './request-id.ts'
import { sendAnswer } from './send-answer.ts'
import { whenNobodyWaits } from './when-nobody-waits.ts'

/** For a JSON body with pictures: 30 MB at 2 Mbit/s. */
const LARGE_BODY_TIMEOUT_MS = 120_000

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Mounts a dialect at its native paths, or below `prefix`. Everything inside answers in the dialect's words. */
export function mountDialect(
  app: FastifyInstance,
  { dialect, platform, prefix }: { dialect: Dialect; platform: Platform; prefix: string },
): void {
  app.register(
    async (scope) => {
      scope.setErrorHandler((error, request, reply) => {
        const render = (refusal: Refusal) => dialect.renderRefusal(refusal, { requestId: requestIdOf(request) })
        return refuse({ render, error, request, reply })
      })
      const { scratch } = platform.files
      if (dialect.takesForms === true) takeForms(scope, { scratch })
      const stopping = new AbortController()
      // One listener for each request that waits, however many.
      setMaxListeners(0, stopping.signal)
      scope.addHook('preClose', async () => stopping.abort())
      for (const route of dialect.routes) {
        const about = { dialect, route, platform, stopping: stopping.signal }
        if (route.kind !== 'uploadFile') mountRoute(scope, about)
        else {
          scope.register(async (forms) => {
            takeFormsOnly(forms, { scratch })
            mountRoute(forms, about)
          })
        }
      }
      for (const { path, what } of dialect.notOffered ?? []) refuseNotOffered(scope, path, what)
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
  /** Give back the turn of a large body, or close an upload. */
  const releases = new WeakMap<FastifyRequest, () => void>()
  const { scope } = route
  const takesReferences = route.takesReferences === true
  const takesFiles = takesReferences || route.kind === 'uploadFile'
  app.route<{ Params: Record<string, string>; Querystring: Record<string, string | string[]>; Body: Json | undefined }>(
    {
      // HEAD by the same handler: the one that fastify adds by itself says that a file which is not sent has 0 bytes.
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path,
      bodyLimit: takesReferences ? BODY_WITH_REFERENCES_LIMIT_BYTES : BODY_LIMIT_BYTES,
      config: { takesFiles },
      // Before the body is read: without a key, or beyond the limit, a request makes us parse nothing. One whose key is known
      // counts for its account, whatever is found wrong with it later; one that is refused for its key, for its address.
      onRequest: async (request, reply) => {
        if (scope === undefined) return
        const { authorization } = request.headers
        const holder = await platform.authenticator.authenticate(authorization, request.socket.remoteAddress)
        await countRequest(platform, { holder, kind: requestKind(route.kind), reply })
        assertScope(holder, scope)
        holders.set(request, holder)
      },
      preParsing: async (request, reply, payload) => {
        const holder = holders.get(request)
        const turn =
          takesReferences && holder !== undefined
            ? await platform.largeBodies.take(holder.walletId, request.raw)
            : undefined
        if (turn !== undefined) releases.set(request, turn)
        if (holder !== undefined && isUpload(route, request)) {
          releases.set(request, platform.openUploads.begin(holder.walletId, request.raw))
        }
        if (isForm(request) || turn !== undefined) endStalledBody(request.raw)
        if (!isForm(request)) endSlowBody(request.raw, takesReferences ? LARGE_BODY_TIMEOUT_MS : undefined)
        return decodeBody(request, reply, payload)
      },
      onResponse: async (request) => releases.get(request)?.(),
      handler: async (request, reply) => {
        const { params, query, headers } = request
        const wire = {
          params,
          query,
          headers,
          body: request.body === undefined ? undefined : withoutNulls(request.body),
        }
        const requestId = requestIdOf(request)
        const waitSeconds = route.kind === 'get' ? preferredWait(headers.prefer) : undefined
        if (waitSeconds !== undefined) reply.header('preference-applied', `wait=${waitSeconds}`)
        await using uploads = isForm(request) ? receivedFilesOf(request) : new ReceivedFiles()
        const holder = holders.get(request)
        let leaving: AbortSignal | undefined
        const asking: Asking = {
          dialect: dialect.id,
          holder,
          body: wire.body,
          uploads,
          requestId,
          waitSeconds,
          onTask({ provider }) {
            reply.header('x-reelay-provider', provider)
            // The pictures of the body lie on the disk by then: it need not be held for as long as the answer takes.
            request.body = undefined
            wire.body = undefined
            asking.body = undefined
            releases.get(request)?.()
          },
          leaving() {
            leaving ??= whenNobodyWaits(reply.raw, stopping)
            return leaving
          },
        }
        const context: RenderContext = { urlOf: (media) => platform.links.urlOf(media), requestId }
        const answer = await route.answer(wire, executorFor(platform, asking), context)
        return await sendAnswer(answer, { request, reply, platform })
      },
    },
  )
}

function isForm({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.toLowerCase().startsWith('multipart/') === true
}

/** A form with a file; where it need not have one, one that is larger than texts are, or of a length that is not said. */
function isUpload({ kind, takesReferences }: Route, request: FastifyRequest): boolean {
  if (!isForm(request)) return false
  return kind === 'uploadFile' || (takesReferences === true && !(knownLength(request) <= BODY_LIMIT_BYTES))
}

function requestKind(command: CommandKind): RequestKind {
  return command === 'create' || command === 'follow' || command === 'uploadFile' ? 'create' : 'read'
}

/** Counts a request and says in its answer, whatever that will be, how many are left. Throws if there were none. */
async function countRequest(
  { rateLimiter }: Platform,
  { holder, kind, reply }: { holder: KeyHolder; kind: RequestKind; reply: FastifyReply },
): Promise<void> {
  const { account, key } = holder
  const window = { account: account.id, mode: key.mode, kind }
  const state = await rateLimiter.take(window, requestsPerMinuteOf(account))
  reply.headers(rateLimitHeaders(kind, state))
  if (state.allowed) return
  const { limit, resetAfterSeconds } = state
  throw new Refusal(
    'rate_limited',
    `Too many requests: this account may make ${limit} ${kind} requests a minute; try again in ${resetAfterSeconds} s.`,
    { retryAfterSeconds: resetAfterSeconds },
  )
}

/** A documented path that has no route here. */
function refuseNotOffered(app: FastifyInstance, path: string, what: string): void {
  const refuseRequest = async (): Promise<never> => {
    throw new Refusal('route_not_found', `${what} are not offered by this server.`)
  }
  app.route({
    method: [...METHODS],
    url: path,
    config: { refuses: true },
    onRequest: refuseRequest,
    handler: refuseRequest,
  })
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
    config: { refuses: true },
    // Before a body is read: what is wrong with it does not matter.
    onRequest: refuseMethod,
    handler: refuseMethod,
  })
}
