/** Large bodies: the requests of one account that send nothing beside one of another account. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** More than any number that wait for all accounts together could be: each is a socket, and nothing else. */
const SILENT_REQUESTS = 230

const BODY = { model: 'grok-imagine-video', prompt: 'sandbox:fail a quiet sea' }

describe('an account that begins large bodies and sends nothing more', () => {
  let server: TestServer
  const sockets: Socket[] = []
  before(async () => {
    server = await startServer()
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  })

  /** Begins a create of unknown length; answers what has come back so far. */
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
      `POST /api/v1/generations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
        'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n',
    )
    return () => answer
  }

  test('is refused itself, and no request of another account is', async () => {
    const [greedy, other] = await Promise.all([server.createAccount(), server.createAccount({ credits: 1_000 })])
    const answers = Array.from({ length: SILENT_REQUESTS }, () => begin(greedy.key))
    await waitFor('those beyond its bound to be refused', () =>
      answers.some((answer) => answer().startsWith('HTTP/1.1 429')) ? true : undefined,
    )
    const create = () => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${other.key}` }
      // A stream has no length that could be sent.
      const body = new Blob([JSON.stringify(BODY)]).stream()
      return fetch(`${server.url}/api/v1/generations`, { method: 'POST', headers, body, duplex: 'half' })
    }
    for (let each = 0; each < 5; each++) {
      const answer = await create()
      assert.equal(answer.status, 200, await answer.text())
    }
  })
})
