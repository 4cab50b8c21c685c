import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { FetchError } from './fetch-error.ts'
import { fetchErrorOf } from './fetch-error-of.ts'
import { TrustedHost } from './fetch-trusted.ts'

async function listen(onConnection: (socket: Socket) => void): Promise<{ server: Server; url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { server, url: `http://127.0.0.1:${address.port}` }
}

describe('a trusted host', () => {
  test('that answers before it has read the request costs no connection', async () => {
    let bytes = 0
    const accepted: Socket[] = []
    const { server, url } = await listen((socket) => {
      accepted.push(socket)
      socket.once('data', () => {
        socket.pause()
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno')
      })
    })
    await using host = new TrustedHost(url)
    const body = Buffer.alloc(20_000_000)
    const answer = await host.read({ method: 'POST', path: '/', body, timeoutMs: 10_000 })
    assert.equal(answer.status, 413)
    for await (const chunk of answer.body) assert.equal(String(chunk), 'no')
    await answer[Symbol.asyncDispose]()
    const [socket] = accepted
    assert.ok(socket)
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.resume()
    if (!socket.closed) await once(socket, 'close')
    assert.ok(bytes < body.length / 2, 'the rest of the request was not sent')
    server.close()
  })

  test('is not waited for any longer by whoever gave up before there was a connection', async () => {
    await using host = new TrustedHost('http://192.0.2.1')
    const leaving = new AbortController()
    const asked = host.read({ method: 'GET', path: '/', timeoutMs: 60_000, signal: leaving.signal })
    leaving.abort()
    await assert.rejects(asked, (error) => error instanceof FetchError && error.reason === 'aborted')
  })
})

test('what this machine could not even begin was surely not sent', () => {
  const failed = Object.assign(new Error('connect EMFILE'), { code: 'EMFILE', syscall: 'connect' })
  const about = { hostname: 'example.com', signal: new AbortController().signal }
  const told = fetchErrorOf(failed, { ...about, sent: 'no' })
  assert.deepEqual([told.reason, told.sent], ['unreachable', 'no'])
  assert.throws(() => fetchErrorOf(failed, { ...about, sent: 'maybe' }), failed)
})
