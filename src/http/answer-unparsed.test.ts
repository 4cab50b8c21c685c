import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import { answerUnparsed } from './answer-unparsed.ts'
import { AnswersUnderWay } from './answers-under-way.ts'

const NO_REQUEST = '\x01 is no request\r\n\r\n'

describe('what is no HTTP', () => {
  const answers: ServerResponse[] = []
  const server = createServer((_request, response) => answers.push(response))
  before(async () => {
    const underWay = new AnswersUnderWay(server)
    server.on('clientError', (error, socket) => {
      assert.ok('bytesRead' in socket)
      answerUnparsed(error, socket as Socket, { underWay, log: { info: () => {} } })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  function open() {
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    const seen = { text: '' }
    socket.on('data', (text: string) => {
      seen.text += text
    })
    socket.on('error', () => {
      // Cut.
    })
    return { socket, seen, closed: once(socket, 'close') }
  }

  async function askOn(socket: Socket): Promise<ServerResponse> {
    const count = answers.length
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    return await waitFor('the request', () => answers[count])
  }

  test('is answered, and its connection ended, also behind a request that was answered', async () => {
    const { socket, seen, closed } = open()
    const answer = await askOn(socket)
    answer.end('whole')
    await waitFor('the answer', () => seen.text.includes('whole'))
    socket.write(NO_REQUEST)
    await closed
    assert.match(seen.text, /wholeHTTP\/1\.1 400 Bad Request\r\n/)
  })

  test('never becomes a part of an answer that is being sent', async () => {
    const { socket, seen, closed } = open()
    const answer = await askOn(socket)
    answer.writeHead(200, { 'content-length': 1_000 }).write('the first part')
    await waitFor('the first part', () => seen.text.includes('the first part'))
    socket.write(NO_REQUEST)
    await closed
    assert.match(seen.text, /the first part$/)
  })
})
