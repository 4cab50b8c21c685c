/** Uploads under way: those of one account that never end beside one of another account. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { picture, upload } from '../acceptance/reference-files.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'

const STALLED = 20

describe('an account whose uploads do not end', () => {
  let server: TestServer
  const sockets: Socket[] = []
  before(async () => {
    server = await startServer()
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  })

  /** Begins an upload, of which nothing more comes; answers what has come back so far. */
  function begin(key: string): () => string {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    sockets.push(socket)
    let answer = ''
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {
      // Cut by the server, or by the end of the test.
    })
    socket.write(
      `POST /api/v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n',
    )
    return () => answer
  }

  test('is refused itself, in the mode in which they are, and no other account is', async () => {
    const [greedy, other] = await Promise.all([server.createAccount(), server.createAccount()])
    const answers = Array.from({ length: STALLED }, () => begin(greedy.key))
    await waitFor('those beyond its bound to be refused', () =>
      answers.filter((answer) => answer().startsWith('HTTP/1.1 429')).length === STALLED - 4 ? true : undefined,
    )
    const bytes = await picture('red')
    for (const key of [other.key, greedy.testKey]) await upload(server, { kind: 'image', bytes, key })
    await assert.rejects(upload(server, { kind: 'image', bytes, key: greedy.key }), /4 uploads under way/)
  })
})
