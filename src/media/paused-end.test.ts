import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fetchPolicy } from './fetch-policy.ts'
import { TrustedHost } from './fetch-trusted.ts'
import { fetchUntrusted } from './fetch-untrusted.ts'

/** More than is kept for a reader who does not read. */
const BODY = Buffer.alloc(300_007, 'x')

/** Longer than it takes a server on loopback to send all of it and hang up. */
const READER_SLEEPS_MS = 200

/** How an answer says where it ends; each as the bytes of a whole answer. */
const ANSWERS = {
  'by its length': Buffer.concat([Buffer.from(`content-length: ${BODY.length}\r\n\r\n`), BODY]),
  'in chunks': Buffer.concat([
    Buffer.from(`transfer-encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n`),
    BODY,
    Buffer.from('\r\n0\r\n\r\n'),
  ]),
  'by hanging up': Buffer.concat([Buffer.from('\r\n'), BODY]),
}

async function startHasty(answer: Buffer) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n')
      socket.end(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}`, [Symbol.dispose]: () => server.close() }
}

async function readSlowly({ body }: { readonly body: AsyncIterable<Buffer> }): Promise<number> {
  await pause(READER_SLEEPS_MS)
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    await pause(1)
  }
  return bytes
}

for (const [how, answer] of Object.entries(ANSWERS)) {
  test(`a server that ends its answer ${how} before it is read loses nothing and harms nobody`, async () => {
    using server = await startHasty(answer)
    await using host = new TrustedHost(server.url)
    const timeoutMs = 10_000
    for (let time = 0; time < 3; time += 1) {
      await using read = await host.read({ method: 'GET', path: '/', timeoutMs })
      assert.equal(await readSlowly(read), BODY.length)
      await using created = await host.create({ method: 'POST', path: '/', timeoutMs })
      assert.equal(await readSlowly(created), BODY.length)
      await using fetched = await fetchUntrusted(
        { method: 'GET', url: server.url, headers: {}, maxRedirects: 0, timeoutMs, maxBytes: 2 * BODY.length },
        fetchPolicy(['127.0.0.0/8']),
      )
      assert.equal(await readSlowly(fetched), BODY.length)
    }
  })
}

test('a server that hangs up too early is found out, however late its answer is read', async () => {
  for (const how of ['by its length', 'in chunks'] as const) {
    using server = await startHasty(ANSWERS[how].subarray(0, -100))
    await using host = new TrustedHost(server.url)
    await using read = await host.read({ method: 'GET', path: '/', timeoutMs: 10_000 })
    await assert.rejects(readSlowly(read), { name: 'FetchError' }, how)
  }
})
