import type { FastifyReply, FastifyRequest } from 'fastify'

/** A client that is still sending has read an answer of a few hundred bytes long before. */
const LINGER_MS = 2_000

/** More than this is not worth reading for the sake of a connection. */
const WORTH_READING_BYTES = 256 * 1024

/**
 * To be called before an answer is sent. Where it goes out although the request has not come in whole, the connection is
 * closed after it, without reading the rest. Closing at once would make the system answer the bytes that still arrive
 * with a reset, upon which many clients report a broken connection instead of what was answered. So only our half is
 * closed, and the rest is left unread until the client, who cannot send any more of it, has left or had time to.
 */
export function lingerIfUnread(request: FastifyRequest, reply: FastifyReply): void {
  const { socket, complete, headers } = request.raw
  if (complete || socket.destroyed) return
  const isRestSmall = Number(headers['content-length']) <= WORTH_READING_BYTES
  if (isRestSmall && reply.getHeader('connection') !== 'close') return
  reply.header('connection', 'close')
  // Marks it as begun: of a body that nobody has begun to read, Node reads the rest by itself. One chunk, and no more.
  request.raw.read(0)
  request.raw.pause()
  // What Node calls when the answer has been written.
  socket.destroySoon = () => {
    socket.end()
    const over = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(over))
  }
}
