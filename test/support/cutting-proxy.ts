import { createServer, connect as dial, type Socket } from 'node:net'

/** A line to a server that can be cut in the middle of an answer, or fall silent. */
export interface CuttingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** How often it was cut. */
  readonly cuts: number
  /** Leads new connections to the server at `url`. */
  connect(url: string): void
  /** From now on the line takes everything and brings nothing, as where the other side hangs. */
  hang(): void
  /** Ends the first connection that brings more bytes of answers than these, after them. */
  cutOnce(wanted: { readonly afterBytes: number }): void
}

/** Opens a line on a free port of this machine. */
export async function startCuttingProxy(): Promise<CuttingProxy> {
  let target: URL | undefined
  let cutAfter: number | undefined
  let cuts = 0
  let isHanging = false
  const open = new Set<Socket>()
  const server = createServer((client) => {
    if (target === undefined) {
      client.resetAndDestroy()
      return
    }
    const upstream = dial(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      // Either side may be killed at any moment; then the other hears of it.
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        open.delete(socket)
        if (socket === client) other.destroy()
      })
    }
    let bytes = 0
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      if (isHanging) return
      if (cutAfter !== undefined && bytes + chunk.length > cutAfter) {
        // Ended and not reset: what came before the cut has to arrive.
        client.end(chunk.subarray(0, Math.max(0, cutAfter - bytes)))
        upstream.destroy()
        cutAfter = undefined
        cuts += 1
        return
      }
      bytes += chunk.length
      client.write(chunk)
    })
    upstream.once('end', () => client.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the port is unknown')
  return {
    url: `http://127.0.0.1:${address.port}`,
    get cuts() {
      return cuts
    },
    connect: (url) => {
      target = new URL(url)
    },
    hang: () => {
      isHanging = true
    },
    cutOnce: ({ afterBytes }) => {
      cutAfter = afterBytes
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
