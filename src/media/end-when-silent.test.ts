import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { endWhenSilent } from './end-when-silent.ts'

const SILENT_AT_MOST_MS = 50

/** Two spans of silence on a busy machine. */
const PATIENCE_MS = 10_000

/** More than the buffers of both sockets hold. */
const LARGE_ANSWER = Buffer.alloc(32 * 1024 ** 2, 'a')

/** The answer of a server that does as told, to be read within the test. */
async function withAnswer(
  serve: (response: ServerResponse) => void,
  read: (answer: IncomingMessage) => Promise<void>,
): Promise<void> {
  const server = createServer((_, response) => serve(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  try {
    // The request hears of the error, too.
    const request = get({ host: '127.0.0.1', port }).on('error', () => {})
    const [answer]: IncomingMessage[] = await once(request, 'response')
    if (answer === undefined) throw new Error('no answer')
    await read(answer)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('an answer that may not fall silent', () => {
  it('fails when its sender stops in the middle', async () => {
    await withAnswer(
      (response) => void response.writeHead(200, { 'content-length': 10 }).write('half'),
      async (answer) => {
        endWhenSilent(answer, SILENT_AT_MOST_MS)
        await assert.rejects(buffer(answer), /nothing came for 0.05 s/)
      },
    )
  })

  it('waits for a reader who pauses', async () => {
    await withAnswer(
      (response) => void response.end(LARGE_ANSWER),
      async (answer) => {
        endWhenSilent(answer, SILENT_AT_MOST_MS)
        // The reader takes nothing, so the sender cannot send, for two whole spans of silence.
        await once(answer, 'readable')
        const signal = AbortSignal.timeout(PATIENCE_MS)
        await once(answer.socket, 'timeout', { signal })
        await once(answer.socket, 'timeout', { signal })
        assert.ok(LARGE_ANSWER.equals(await buffer(answer)))
      },
    )
  })
})
