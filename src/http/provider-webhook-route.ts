/**
 * `POST /hooks/providers/<name>/<token>`: a provider says that a job may have ended. All that comes of it is that the job
 * is polled now instead of at the end of its interval, so a call that is forged, repeated, late, or never comes does no
 * harm. There is no key: the address is the credential, and the signature where the provider signs. What is answered does
 * not depend on which jobs there are.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Queryable } from '../db/database.ts'
import type { Provider } from '../providers/provider.ts'
import { hurryHintedTask } from '../tasks/hint-queries.ts'
import type { Waker } from '../tasks/wake.ts'
import { endSlowBody } from './end-slow-body.ts'
import { PROVIDER_WEBHOOKS_PATH, type ProviderWebhookAddresses } from './provider-webhook-addresses.ts'
import { refusalOf } from './refusal-of.ts'
import { WebhookBudget } from './webhook-budget.ts'

/** The largest message is a whole task, its prompt of 5,000 characters escaped: some 60 KB. */
const BODY_LIMIT_BYTES = 64 * 1024

/** A vendor that is told to come again does; so nothing is lost but a second. */
const RETRY_AFTER_SECONDS = 1

export interface ProviderWebhookRoute {
  readonly db: Queryable
  readonly waker: Pick<Waker, 'wake'>
  readonly addresses: Pick<ProviderWebhookAddresses, 'isGenuine'>
  /** By its name, as it is configured now or was while jobs of it still run. */
  readonly provider: (name: string) => Provider | undefined
  readonly budget?: Pick<WebhookBudget, 'take'>
}

interface WebhookRequest {
  Params: { provider: string; token: string }
}

export function mountProviderWebhooks(
  app: FastifyInstance,
  { db, waker, addresses, provider, budget = new WebhookBudget() }: ProviderWebhookRoute,
): void {
  app.register(async (scope) => {
    // Whatever it says that it is: signatures are over the very bytes.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)
    scope.setErrorHandler(refuse)
    scope.route<WebhookRequest>({
      method: 'POST',
      url: `${PROVIDER_WEBHOOKS_PATH}/:provider/:token`,
      bodyLimit: BODY_LIMIT_BYTES,
      // Before the body is read: nobody who does not know the address can make us read anything.
      onRequest: async ({ params }, reply) => {
        const isGenuine = addresses.isGenuine(params.provider, params.token)
        if (!isGenuine || provider(params.provider)?.parseWebhook === undefined) {
          return reply.code(404).send({ error: 'not found' })
        }
        if (budget.take(params.provider)) return
        return reply.code(429).header('retry-after', RETRY_AFTER_SECONDS).send({ error: 'too many calls at once' })
      },
      preParsing: async (request) => endSlowBody(request.raw),
      handler: async (request, reply) => {
        const { provider: name } = request.params
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const outcome = provider(name)?.parseWebhook?.({ headers: request.headers, body })
        if (outcome === undefined || outcome.kind === 'refused') {
          request.log.warn({ provider: name, cause: outcome?.cause }, 'a webhook was refused')
          return reply.code(400).send({ error: 'not a webhook of this provider' })
        }
        if (outcome.kind === 'hint' && (await hurryHintedTask(db, { provider: name, jobId: outcome.jobId }))) {
          waker.wake()
        }
        return reply.code(204).send()
      },
    })
  })
}

const STATUSES: Readonly<Record<string, number>> = { body_too_large: 413, malformed_body: 400, unavailable: 503 }

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, message, retryAfterSeconds } = refusalOf(error, request.routeOptions.bodyLimit)
  const status = STATUSES[code] ?? 500
  if (status === 500) request.log.error({ err: error }, 'request failed')
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  return reply.code(status).send({ error: message })
}
