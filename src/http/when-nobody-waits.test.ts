import assert from 'node:assert/strict'
import { EventEmitter, getEventListeners, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { beforeEach, describe, test } from 'node:test'
import { fastify } from 'fastify'
import { Refusal } from '../canonical/refusal.ts'
import { whenNobodyWaits } from './when-nobody-waits.ts'

describe('whether anybody waits', () => {
  let stopping: AbortController
  beforeEach(() => {
    stopping = new AbortController()
  })
  const listeners = () => getEventListeners(stopping.signal, 'abort').length

  /** Asks, and has `work` run in the handler: with the response, and a function that makes the client leave. */
  async function inHandler(work: (response: ServerResponse, leave: () => Promise<void>) => Promise<void>) {
    const app = fastify()
    const handled = new EventEmitter()
    const ended = once(handled, 'end')
    app.get('/', async (_request, reply) => {
      const left = async () => {
        const closed = once(reply.raw, 'close')
        client.destroy()
        await closed
      }
      await work(reply.raw, left).then(
        () => handled.emit('end', undefined),
        (error) => handled.emit('end', error),
      )
      return 'done'
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const client = connect(Number(new URL(app.listeningOrigin).port), '127.0.0.1')
    client.on('error', () => undefined).resume()
    client.write('GET / HTTP/1.1\r\nHost: reelay\r\n\r\n')
    const [error] = await ended
    client.destroy()
    await app.close()
    if (error !== undefined) throw error
  }

  test('is known at once of a client that has left before it is asked, and nothing is kept', () =>
    inHandler(async (response, leave) => {
      await leave()
      assert.equal(whenNobodyWaits(response, stopping.signal).aborted, true)
      assert.equal(listeners(), 0)
    }))

  test('is told when the client leaves; the server’s end is listened for once, however many ask', () =>
    inHandler(async (response, leave) => {
      const signals = [whenNobodyWaits(response, stopping.signal), whenNobodyWaits(response, stopping.signal)]
      assert.deepEqual([signals.map(({ aborted }) => aborted), listeners()], [[false, false], 1])
      await leave()
      assert.deepEqual([signals.map(({ aborted }) => aborted), listeners()], [[true, true], 1])
    }))

  test('is told when the server stops, or is stopping already', () =>
    inHandler(async (response) => {
      const signal = whenNobodyWaits(response, stopping.signal)
      stopping.abort()
      for (const each of [signal, whenNobodyWaits(response, stopping.signal)]) {
        assert.equal(each.aborted, true)
        assert.ok(each.reason instanceof Refusal && each.reason.code === 'unavailable', String(each.reason))
      }
    }))
})
