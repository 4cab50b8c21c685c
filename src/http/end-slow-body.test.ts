import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { endSlowBody } from './end-slow-body.ts'

test('a body that does not come in whole in time ends its connection, and one that does is left alone', async (t) => {
  const server = createServer((request, response) => {
    endSlowBody(request, 200)
    request.resume().once('end', () => setTimeout(() => response.end('whole'), 400))
    request.once('error', () => {
      // Cut.
    })
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const send = async (...parts: string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    socket.on('error', () => {
      // Cut.
    })
    socket.write('POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n')
    await once(server, 'request')
    for (const part of parts) socket.write(part)
    let answer = ''
    socket.on('data', (text: string) => {
      answer += text
    })
    await once(socket, 'close')
    return answer
  }
  assert.equal(await send('ab'), '')
  assert.match(await send('ab', 'cd'), /whole/)
})
