import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import { AnswersUnderWay } from './answers-under-way.ts'
import { endStalledAnswers } from './end-stalled-answers.ts'

const STALLED_MS = 300
/** More than the buffers of two sockets hold. */
const LARGE_BYTES = 64 * 1024 * 1024
const CHUNK = Buffer.alloc(64 * 1024)

describe('a client that stops reading its answer', () => {
  const sources: Readable[] = []
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    if (request.url === '/waits') {
      waiting.push(response)
      return
    }
    if (request.url === '/at-once') {
      response.end(Buffer.alloc(LARGE_BYTES))
      return
    }
    let left = LARGE_BYTES
    const source = new Readable({
      read() {
        left -= CHUNK.length
        this.push(left >= 0 ? CHUNK : null)
      },
    })
    sources.push(source)
    response.once('close', () => source.destroy())
    source.pipe(response)
  })
  before(async () => {
    endStalledAnswers(server, new AnswersUnderWay(server), STALLED_MS)
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  async function ask(path: string): Promise<Socket> {
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1').pause()
    socket.on('error', () => {
      // Cut.
    })
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
    return socket
  }

  const connections = () =>
    new Promise<number>((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )

  for (const path of ['/in-pieces', '/at-once']) {
    test(`of ${path.slice(1)} loses its connection, and what was read for it is closed`, async () => {
      const socket = await ask(path)
      await waitFor('the connection to be there', async () => (await connections()) > 0)
      await waitFor('the connection to be ended', async () => (await connections()) === 0)
      assert.ok(sources.every((source) => source.destroyed))
      socket.destroy()
    })

    test(`of ${path.slice(1)} and takes a little now and then gets all of it`, async () => {
      const socket = await ask(path)
      let taken = 0
      socket.on('data', ({ length }) => {
        taken += length
        // Longer in all than a stall may be, in pauses that are shorter.
        if (Math.floor(taken / (16 * 1024 * 1024)) > Math.floor((taken - length) / (16 * 1024 * 1024))) {
          socket.pause()
          setTimeout(() => socket.resume(), STALLED_MS / 2)
        }
      })
      socket.resume()
      await waitFor('all of it', (seen) => {
        seen(taken)
        return taken >= LARGE_BYTES
      })
      socket.destroy()
    })
  }

  test('is not one whose answer takes long to make', async () => {
    const socket = await ask('/waits')
    const before = sources.length
    const stalled = await ask('/in-pieces')
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.resume()
    // By then a stall would have been noticed.
    await waitFor('the other one to be ended', () => sources[before]?.destroyed === true)
    waiting.at(-1)?.end('here it is')
    await waitFor('the answer', () => answer.includes('here it is'))
    socket.destroy()
    stalled.destroy()
  })

  test('is not one whose next request, sent before the answer to the first, takes long to answer', async () => {
    const first = waiting.length
    const socket = await ask('/waits')
    socket.write('GET /waits HTTP/1.1\r\nhost: x\r\n\r\n')
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.resume()
    await waitFor('both requests', () => waiting.length === first + 2)
    waiting[first]?.end('the first')
    await waitFor('the first answer', () => answer.includes('the first'))
    const before = sources.length
    const stalled = await ask('/in-pieces')
    await waitFor('a stall to have been noticed', () => sources[before]?.destroyed === true)
    waiting[first + 1]?.end('the second')
    await waitFor('the second answer', (seen) => {
      seen(answer.length)
      return answer.includes('the second')
    })
    socket.destroy()
    stalled.destroy()
  })
})
