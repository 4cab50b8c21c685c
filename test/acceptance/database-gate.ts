import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A way to a PostgreSQL that can be cut: to whoever uses `url`, the database is then away. */
export interface DatabaseGate extends AsyncDisposable {
  readonly url: string
  /** Cuts every connection, and refuses new ones. */
  close(): Promise<void>
  /** Lets connections in again, under the same address. */
  open(): Promise<void>
  /**
   * Keeps every connection, and swallows what goes over it, as a network does that is parted: those of which the client's side
   * has sent this text lose the answer to it, and all, if no text is given, whatever comes next. New connections are silent, too.
   */
  fallSilent(after?: string): void
  /** Lets new connections speak. Those that fell silent stay so, as their other end has given them up. */
  speak(): void
}

/** Opens a gate on a local port to the database at `databaseUrl`, be that a TCP port or a unix socket. */
export async function openDatabaseGate(databaseUrl: string): Promise<DatabaseGate> {
  const target = targetOf(new URL(databaseUrl))
  const sockets = new Set<Socket>()
  let silence: { readonly after: string | undefined } | undefined
  const server = createServer((client) => {
    const upstream = connect(target)
    let isSilent = silence !== undefined && silence.after === undefined
    const hear = (data: Buffer): void => {
      if (silence !== undefined && (silence.after === undefined || data.includes(silence.after))) isSilent = true
    }
    client.on('data', (data) => {
      const wasSilent = isSilent
      hear(data)
      // What brings the silence is still heard, if it is named: its answer is not.
      if (!wasSilent && (!isSilent || silence?.after !== undefined)) upstream.write(data)
    })
    upstream.on('data', (data) => {
      hear(Buffer.alloc(0))
      if (!isSilent) client.write(data)
    })
    client.on('end', () => upstream.end())
    upstream.on('end', () => client.end())
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  let port = 0
  const open = async (): Promise<void> => {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address !== null) port = address.port
  }
  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  await open()
  const url = new URL(databaseUrl)
  url.searchParams.delete('host')
  url.searchParams.delete('port')
  const credentials = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${url.password}`}@`
  return {
    url: `postgres://${credentials}127.0.0.1:${port}${url.pathname}${url.search}`,
    open,
    close,
    fallSilent: (after) => {
      silence = { after }
    },
    speak: () => {
      silence = undefined
    },
    [Symbol.asyncDispose]: close,
  }
}

function targetOf(url: URL): { path: string } | { host: string; port: number } {
  const directory = url.searchParams.get('host')
  const port = Number(url.searchParams.get('port') ?? (url.port || '5432'))
  if (directory?.startsWith('/') === true) return { path: `${directory}/.s.PGSQL.${port}` }
  return { host: directory ?? url.hostname, port }
}
