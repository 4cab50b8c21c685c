/** SIGTERM: what is under way is finished or handed to the next start, within the stated time. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from 'node:test'
import { isRunning, readPostmasterFile } from '../../src/db/embedded/postmaster-file.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { CHEAP, create, credits, generationOf, get, pageOf, waitForStatus } from './rivya.ts'

/** Stated by `serve`. */
const DRAIN_MS = 10_000

/** Connections are cut off after 3 s; the rest is for a busy machine. */
const CUT_OFF_WITHIN_MS = 8_000

/** A connection on which nothing is asked, as `head` is sent and nothing after it. */
async function openSilently({ url }: TestServer, head: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (head !== '') await new Promise((resolve) => socket.write(head, resolve))
  return socket
}

describe('a graceful stop', () => {
  test('during a render and a create ends in time with code 0, and the next start finishes the video', async () => {
    await using server = await startServer({ credits: 1_000, env: { REELAY_RENDER_CONCURRENCY: '8' } })
    const video = await create(server, { ...CHEAP, prompt: 'A lighthouse in a storm', params: { duration: 6 } })
    await waitForStatus(server, video.id, ['processing'])
    const creates = Array.from({ length: 20 }, (_, n) =>
      server.ask('POST', '/api/v1/generations', { body: CHEAP, headers: { 'idempotency-key': `k${n}` } }),
    )
    const settled = Promise.allSettled(creates)
    // The others are under way: their connections are busy when the server begins to close.
    await Promise.race(creates)
    const began = Date.now()
    const exit = await server.terminate()
    assert.ok(Date.now() - began < DRAIN_MS, `${Date.now() - began} ms`)
    assert.doesNotMatch(server.log(), /not everything ended in time/)
    assert.deepEqual(exit, { code: 0, signal: null }, server.log().slice(-2_000))
    const answered = (await settled).filter((each) => each.status === 'fulfilled').map(({ value }) => value)
    for (const answer of answered) assert.ok([200, 503].includes(answer.status), answer.text)

    await server.restart()
    const ended = await waitForStatus(server, video.id, ['succeeded', 'failed'])
    assert.equal(ended.status, 'succeeded', JSON.stringify(ended.error))
    for (const answer of answered.filter(({ status }) => status === 200)) {
      assert.ok((await get(server, generationOf(answer).id)).id, 'what was answered is there')
    }
    // What the customer heard nothing of can be sent again under its key: each is made once.
    for (let n = 0; n < creates.length; n++) {
      await create(server, CHEAP, { headers: { 'idempotency-key': `k${n}` } })
    }
    await waitFor('all to end', async () => {
      const { data } = pageOf(await server.ask('GET', '/api/v1/generations?limit=100&status=failed'))
      return data.length === creates.length || undefined
    })
    assert.equal(await credits(server), 990)
  })

  test('with the embedded database waits for no client that sends nothing, or half a head, and leaves no postmaster', async () => {
    await using server = await startServer({ database: 'embedded' })
    const postmaster = (await readPostmasterFile(join(server.dataDirectory, 'postgres', 'cluster')))?.pid
    assert.ok(postmaster !== undefined && (await isRunning(postmaster)))
    const sockets = [
      await openSilently(server, ''),
      await openSilently(server, 'GET /healthz HTTP/1.1\r\nHost: reelay\r\nX-Ha'),
    ]
    // Connections are taken up in order: once a later one has its answer, those two are open at the server.
    await fetch(`${server.url}/healthz`, { headers: { connection: 'close' } })
    const began = Date.now()
    const exit = await server.terminate()
    assert.deepEqual(exit, { code: 0, signal: null })
    assert.ok(Date.now() - began < CUT_OFF_WITHIN_MS, `${Date.now() - began} ms`)
    assert.doesNotMatch(server.log(), /not everything ended in time/)
    assert.equal(await isRunning(postmaster), false)
    for (const socket of sockets) socket.destroy()
  })

  test('takes no new steps while it still waits for a client', async () => {
    await using server = await startServer()
    const silent = await openSilently(server, 'GET')
    const cutOff = once(silent.resume(), 'close')
    await fetch(`${server.url}/healthz`, { headers: { connection: 'close' } })
    process.kill(server.pid ?? Number.NaN, 'SIGTERM')
    await server.withDatabase((pool) =>
      waitFor('the worker to have stopped', async () => {
        const { rows } = await pool.query('select from workers')
        return rows.length === 0 || undefined
      }),
    )
    assert.equal(silent.closed, false, 'the worker stopped beside HTTP, not after it')
    await cutOff
    assert.deepEqual(await server.exited, { code: 0, signal: null })
  })

  test('asks for a page that is being read to be read again, and calls that no fault of the server', async () => {
    await using server = await startServer()
    await server.withDatabase(async (pool) => {
      const locker = await pool.connect()
      try {
        await locker.query('begin')
        await locker.query('lock table tasks in access exclusive mode')
        const reading = server.ask('GET', '/api/v1/generations')
        await waitFor('the page to wait', async () => {
          const { rows } = await pool.query(
            `select from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock' and query like '%with page as%'
               and pid <> pg_backend_pid()`,
          )
          return rows.length > 0 || undefined
        })
        process.kill(server.pid ?? Number.NaN, 'SIGTERM')
        const { status, headers, text } = await reading
        assert.equal(status, 503, text)
        assert.ok(Number(headers.get('retry-after')) > 0, text)
      } finally {
        await locker.query('rollback')
        locker.release()
      }
    })
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.doesNotMatch(server.log(), /request failed/)
  })

  test('keeps what was queued, and refuses connections when it is over', async () => {
    await using server = await startServer({ credits: 100, env: { REELAY_RENDER_CONCURRENCY: '1' } })
    const first = await create(server, { ...CHEAP, prompt: 'sandbox:fail sandbox:slow=3' })
    const second = await create(server)
    await waitForStatus(server, first.id, ['processing'])
    const { url } = server
    assert.equal((await server.terminate()).code, 0)
    await assert.rejects(fetch(`${url}/healthz`))
    await server.restart()
    for (const { id } of [first, second]) await waitForStatus(server, id, ['failed'])
    assert.equal((await get(server, second.id)).error?.code, 'generation_failed')
    assert.equal(await credits(server), 100)
  })
})
