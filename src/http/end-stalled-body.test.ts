import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { waitFor } from '../../test/support/patience.ts'
import { endStalledBody } from './end-stalled-body.ts'

const WINDOW_MS = 1_000
const MIN_BYTES = 50
const PIECE = 'x'.repeat(100)

const requests: IncomingMessage[] = []
const server = createServer((request, response) => {
  requests.push(request)
  endStalledBody(request, { windowMs: WINDOW_MS, minBytes: MIN_BYTES })
  request.once('end', () => response.end('whole'))
  request.on('error', () => {
    // Cut.
  })
})
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
after(() => server.close())

/** Begins a form of so many pieces. */
async function begin(t: TestContext, pieces: number) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  t.after(() => socket.destroy())
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  socket.on('error', () => {
    // Cut.
  })
  const length = pieces * PIECE.length
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`)
  await once(server, 'request')
  const request = requests.at(-1)
  assert.ok(request !== undefined)
  const send = async (text: string) => {
    const expected = request.socket.bytesRead + text.length
    socket.write(text)
    await waitFor('it to come in', () => (request.socket.bytesRead >= expected ? true : undefined))
  }
  const passWindow = () => t.mock.timers.tick(WINDOW_MS)
  const closed = once(socket, 'close')
  return { request, send, passWindow, answered: () => closed.then(() => answer) }
}

test('a form of which nothing more comes ends its connection', async (t) => {
  const { request, send, passWindow, answered } = await begin(t, 3)
  request.resume()
  await send(PIECE)
  passWindow()
  assert.equal(request.destroyed, false)
  passWindow()
  assert.equal(request.destroyed, true)
  assert.equal(await answered(), '')
})

test('a form of which too little comes in a window ends its connection', async (t) => {
  const { request, send, passWindow, answered } = await begin(t, 3)
  request.resume()
  await send('x'.repeat(MIN_BYTES - 1))
  passWindow()
  assert.equal(request.destroyed, true)
  assert.equal(await answered(), '')
})

test('a form that comes on is left alone, however long it takes in all', async (t) => {
  const pieces = 20
  const { request, send, passWindow, answered } = await begin(t, pieces)
  request.resume()
  for (let sent = 0; sent < pieces; sent += 1) {
    await send(PIECE)
    passWindow()
  }
  assert.match(await answered(), /whole/)
})

test('a form that waits for us to read it is left alone', async (t) => {
  const { request, send, passWindow, answered } = await begin(t, 2)
  await send(PIECE)
  for (let window = 0; window < 3; window += 1) passWindow()
  assert.equal(request.destroyed, false)
  await send(PIECE)
  for (let window = 0; window < 3; window += 1) passWindow()
  request.resume()
  assert.match(await answered(), /whole/)
})
