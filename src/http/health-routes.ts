import { timingSafeEqual } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Platform } from './platform.ts'

/** A worker writes that it is alive every few seconds; silent for this long it counts as gone. */
const WORKER_SILENT_SECONDS = 15

/** Orchestrators give a probe a second or more; an answer that comes too late counts as none. */
const READY_WITHIN_MS = 1_500

/** A host name, as URLs have it, that means the machine itself. */
const LOOPBACK_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export interface HealthOptions {
  readonly platform: Platform
  /** `REELAY_METRICS_TOKEN`: lets a scraper on another machine in. */
  readonly metricsToken: string | undefined
  /** `REELAY_PUBLIC_URL`, if it is set. Customers then come through a proxy, which may well run on this machine. */
  readonly publicUrl: string | undefined
}

/**
 * `/healthz`: this process answers. `/readyz`: the database and a worker do, too; that videos can be stored is said beside it.
 * `/metrics`: Prometheus.
 */
export function mountHealth(app: FastifyInstance, { platform, metricsToken, publicUrl }: HealthOptions): void {
  app.get('/healthz', async () => ({ status: 'ok' }))

  const parts = new Parts(platform)
  app.get('/readyz', async (request, reply) => {
    const checks = await parts.ask().catch((error: unknown) => {
      request.log.warn({ err: error }, 'not ready')
      return { database: false, worker: false, storage: false }
    })
    const ready = checks.database && checks.worker
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks })
  })

  app.get('/metrics', async (request, reply) => {
    const isOpen = publicUrl === undefined && isLocal(request, listeningHost(app))
    if (!isOpen && !hasToken(request, metricsToken)) {
      const error = 'metrics are read with REELAY_METRICS_TOKEN, or from this machine while REELAY_PUBLIC_URL is unset'
      return reply.code(404).send({ error })
    }
    const { registry } = platform.metrics
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

interface Readiness {
  readonly database: boolean
  /** One at least is alive. */
  readonly worker: boolean
  /** All that are alive can store videos. Without it requests are taken and wait in the queue, and videos are served. */
  readonly storage: boolean
}

/** Asks whether the parts work: at most once at a time, whoever asks, so that probes take one connection of an ill database. */
class Parts {
  readonly #pool: Platform['pool']
  #asking: Promise<Readiness> | undefined

  constructor({ pool }: Platform) {
    this.#pool = pool
  }

  /** Throws when the database does not answer in time. */
  async ask(): Promise<Readiness> {
    this.#asking ??= this.#askDatabase().finally(() => {
      this.#asking = undefined
    })
    const late = new AbortController()
    const timeout = delay(READY_WITHIN_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error(`the database did not answer within ${READY_WITHIN_MS} ms`)
    })
    // Whichever comes second is of no interest.
    timeout.catch(() => {})
    return await Promise.race([this.#asking, timeout]).finally(() => late.abort())
  }

  async #askDatabase(): Promise<Readiness> {
    const question = {
      text: `select count(*) > 0 as worker, count(*) > 0 and bool_and(storage_fault is null) as storage
             from workers where seen_at > now() - make_interval(secs => $1)`,
      values: [WORKER_SILENT_SECONDS],
      // Beyond it its connection is closed: it is as silent to everything else.
      query_timeout: READY_WITHIN_MS,
    }
    const { rows } = await this.#pool.query<{ worker: boolean; storage: boolean }>(question)
    return { database: true, worker: rows[0]?.worker === true, storage: rows[0]?.storage === true }
  }
}

/**
 * Headers that scrapers, command lines and browsers send of their own accord. Any other tells of a proxy that speaks for a
 * client elsewhere: `X-Forwarded-*`, `CF-Connecting-IP`, `Via` and what the next one calls it. So the list is of what is
 * known to be plain, and not of proxies.
 */
const PLAIN_HEADERS = new Set([
  ...['host', 'connection', 'keep-alive', 'te', 'user-agent', 'authorization', 'referer', 'cookie', 'dnt', 'priority'],
  ...['accept', 'accept-encoding', 'accept-language', 'cache-control', 'pragma', 'if-none-match', 'if-modified-since'],
  ...['upgrade-insecure-requests', 'x-prometheus-scrape-timeout-seconds'],
])

/** Of browsers: which page a request is for. */
const FETCH_METADATA = /^sec-(fetch|ch|gpc)/

/**
 * From this machine, and as far as can be told not through a proxy on it that speaks for a client elsewhere, nor by a page in
 * a browser on it whose name was made to point here. A proxy that hands on neither the name nor any header of its own (nginx,
 * with `proxy_pass` alone) looks like this machine.
 */
function isLocal(request: FastifyRequest, listensAt: string | undefined): boolean {
  const { remoteAddress } = request.socket
  const loopback = remoteAddress === '127.0.0.1' || remoteAddress === '::1' || remoteAddress === '::ffff:127.0.0.1'
  const isPlain = Object.keys(request.headers).every((name) => PLAIN_HEADERS.has(name) || FETCH_METADATA.test(name))
  if (!loopback || !isPlain) return false
  const host = hostnameOf(`http://${request.headers.host ?? ''}`)
  return host !== undefined && (LOOPBACK_HOST.test(host) || host === listensAt)
}

/** As a URL has it, which writes each address in one way. */
function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

function listeningHost({ server }: FastifyInstance): string | undefined {
  const address = server.address()
  if (address === null || typeof address === 'string') return undefined
  return hostnameOf(`http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}`)
}

function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return false
  const sent = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return sent.length === wanted.length && timingSafeEqual(sent, wanted)
}
