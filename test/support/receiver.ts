/**
 * An HTTP server of somebody else's, on loopback: it keeps what it was sent and answers as a test says. Counts
 * connections as well as requests, so that "was not called" means not even dialled.
 */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** An answer: a status, or whatever the test does with the response itself. */
export type Answering = (
  received: Received,
  response: ServerResponse,
) => number | undefined | Promise<number | undefined>

export interface Receiver extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** What came, in order; whole requests only. */
  readonly received: Received[]
  readonly connections: () => number
  /** From now on. */
  answer(how: Answering | number): void
}

export async function startReceiver(
  how: Answering | number = 204,
  { host = '127.0.0.1', port = 0 }: { host?: string; port?: number } = {},
): Promise<Receiver> {
  const received: Received[] = []
  let answering = how
  let connections = 0
  const server = createServer((request, response) => {
    const take = async () => {
      const body = await buffer(request)
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
      received.push(one)
      const status = typeof answering === 'number' ? answering : await answering(one, response)
      if (status !== undefined) response.writeHead(status).end()
    }
    // Somebody who hangs up in the middle of a request has sent none.
    take().catch(() => response.destroy())
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the receiver has no address')
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    received,
    connections: () => connections,
    answer: (next) => {
      answering = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
