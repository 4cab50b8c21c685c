import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { ApiClient } from './api-client.ts'
import { CommandError } from './command-error.ts'
import { followGeneration } from './follow-generation.ts'

const ID = `task_${'0'.repeat(32)}`

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A generation as the server tells it. */
function tell(status: string, progress = 0, id = ID): Handler {
  return (_request, response) => {
    const { result, error } = { result: null, error: null }
    const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
    const credits = { reserved_credits: 10, final_credits: 0 }
    response.setHeader('generation-progress', progress)
    response.end(JSON.stringify({ id, status, model: 'any', ...credits, ...times, result, error }))
  }
}

function refuse(status: number, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) => response.writeHead(status, headers).end()
}

describe('following a generation', () => {
  /** What the stand-in answers, in turn; and what it was asked, as `METHOD path prefer`. */
  let script: Handler[] = []
  let asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.replace(`/api/v1/generations/${ID}`, '')} ${request.headers.prefer}`)
    const next = script.shift() ?? refuse(500)
    next(request, response)
  })
  let client: ApiClient
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    client = new ApiClient({ url: `http://127.0.0.1:${address.port}`, key: 'any' })
  })
  after(() => server.close())

  /** Follows through `answers`, without pausing; gives the end, and the pauses that there would have been. */
  async function follow(
    answers: Handler[],
    { signal = new AbortController().signal, onPause = () => {} }: { signal?: AbortSignal; onPause?: () => void } = {},
  ) {
    script = answers
    asked = []
    const pauses: { readonly ms: number; readonly abortable: boolean }[] = []
    const began = performance.now()
    const ended = await followGeneration(client, ID, {
      signal,
      pause: async (ms, until) => {
        pauses.push({ ms, abortable: until !== undefined })
        onPause()
      },
    })
    const tookMs = performance.now() - began + pauses.reduce((sum, { ms }) => sum + ms, 0)
    return { status: ended.status, pauses, tookMs }
  }

  test('reads once a second at most, however fast it changes, and waits for changes when it does not', async () => {
    const changes = Array.from({ length: 99 }, (_, index) => tell('processing', index))
    const { status, tookMs } = await follow([...changes, tell('succeeded')])
    assert.equal(status, 'succeeded')
    assert.deepEqual(new Set(asked), new Set(['GET  wait=5']))
    assert.ok(tookMs >= 99_000, `100 reads in ${tookMs} ms`)
  })

  test('goes on after 429 and 503, when they say so', async () => {
    const { status, pauses } = await follow([
      refuse(429, { 'retry-after': '37' }),
      refuse(503),
      tell('queued'),
      refuse(503, { 'retry-after': '0' }),
      tell('succeeded'),
    ])
    assert.equal(status, 'succeeded')
    assert.deepEqual(
      pauses.map(({ ms }) => Math.ceil(ms / 1000)),
      [37, 5, 1, 1],
    )
  })

  test('ends with what else the server refuses', async () => {
    await assert.rejects(follow([refuse(404)]), CommandError)
  })

  test('an abort ends a waiting read and cancels at once', async () => {
    const interrupted = new AbortController()
    let left: Promise<unknown> | undefined
    const hold: Handler = (_request, response) => {
      left = once(response, 'close')
      interrupted.abort()
    }
    const { status, pauses } = await follow([hold, tell('canceled')], { signal: interrupted.signal })
    assert.equal(status, 'canceled')
    assert.deepEqual(asked, ['GET  wait=5', 'POST /cancel undefined'])
    assert.deepEqual(pauses, [])
    await left
  })

  test('an abort ends a pause; a cancel that is refused for now is tried again, and waits as it was told', async () => {
    const interrupted = new AbortController()
    const { status, pauses } = await follow(
      [refuse(429, { 'retry-after': '20' }), refuse(429, { 'retry-after': '9' }), tell('processing'), tell('canceled')],
      { signal: interrupted.signal, onPause: () => interrupted.abort() },
    )
    assert.equal(status, 'canceled')
    assert.deepEqual(
      pauses.map(({ ms, abortable }) => [Math.ceil(ms / 1000), abortable]),
      [
        [20, true],
        [9, false],
        [1, false],
      ],
    )
    assert.deepEqual(asked.slice(1), Array(3).fill('POST /cancel undefined'))
  })

  for (const id of ['../../escaped', 'task_1', `${ID}/x`, `${ID}\u001b[2J`]) {
    test(`believes no server that calls a generation ${JSON.stringify(id)}`, async () => {
      script = [tell('succeeded', 0, id)]
      await assert.rejects(client.create({ prompt: 'x' }), CommandError)
    })
  }
})
