import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Platform } from './platform.ts'

/** A worker writes that it is alive every few seconds; silent for this long it counts as gone. */
const WORKER_SILENT_SECONDS = 15

export interface HealthOptions {
  readonly platform: Platform
  /** `REELAY_METRICS_TOKEN`: lets a scraper on another machine in. */
  readonly metricsToken: string | undefined
}

/** `/healthz`: this process answers. `/readyz`: the database and a worker do, too. `/metrics`: Prometheus. */
export function mountHealth(app: FastifyInstance, { platform, metricsToken }: HealthOptions): void {
  app.get('/healthz', async () => ({ status: 'ok' }))

  app.get('/readyz', async (request, reply) => {
    const checks = await askParts(platform).catch((error) => {
      request.log.warn({ err: error }, 'not ready')
      return { database: false, worker: false }
    })
    const ready = checks.database && checks.worker
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', checks })
  })

  app.get('/metrics', async (request, reply) => {
    if (!isLocal(request) && !hasToken(request, metricsToken)) {
      return reply.code(404).send({ error: 'metrics are read from this machine, or with REELAY_METRICS_TOKEN' })
    }
    const { registry } = platform.metrics
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

async function askParts({ pool }: Platform): Promise<{ database: boolean; worker: boolean }> {
  const { rows } = await pool.query<{ alive: boolean }>(
    'select exists (select from workers where seen_at > now() - make_interval(secs => $1)) as alive',
    [WORKER_SILENT_SECONDS],
  )
  return { database: true, worker: rows[0]?.alive === true }
}

/** From this machine, and not through a proxy on it that speaks for somebody else. */
function isLocal(request: FastifyRequest): boolean {
  const { remoteAddress } = request.socket
  const loopback = remoteAddress === '127.0.0.1' || remoteAddress === '::1' || remoteAddress === '::ffff:127.0.0.1'
  const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']
  return loopback && forwarded.every((header) => request.headers[header] === undefined)
}

function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return false
  const sent = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return sent.length === wanted.length && timingSafeEqual(sent, wanted)
}
