import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The answers of each connection that are not sent to their end; several where a client sends requests ahead. */
export class AnswersUnderWay {
  readonly #of = new WeakMap<Socket, Set<ServerResponse>>()

  constructor(server: Server) {
    server.on('request', ({ socket }, response) => {
      const answers = this.#of.get(socket) ?? new Set()
      this.#of.set(socket, answers.add(response))
      response.once('close', () => answers.delete(response))
    })
  }

  /** Whether a request of the connection waits for its answer, or for the rest of it. */
  has(socket: Socket): boolean {
    return (this.#of.get(socket)?.size ?? 0) > 0
  }

  /** Whether a part of an answer has been sent: what is written to the connection now becomes part of it. */
  hasBegun(socket: Socket): boolean {
    return [...(this.#of.get(socket) ?? [])].some(({ headersSent }) => headersSent)
  }
}
