/** AceData's requests that stay open: live lines, clients that leave, a server that stops. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { type Answer, startServer, type TestServer } from '../support/server.ts'
import { createAsync, failedOf, readLines, retrieve, SHORT, succeededOf, waitForResponse } from './acedata.ts'

const NDJSON = { accept: 'application/x-ndjson' }

describe('AceData requests that stay open', () => {
  let server: TestServer
  let long: { readonly json: Promise<Answer>; readonly lines: Promise<Answer> }
  before(async () => {
    server = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '16' } })
    // Begun before the other tests and looked at after them: it takes longer than a heartbeat.
    const body = { prompt: 'sandbox:moderated sandbox:slow=16' }
    long = {
      json: server.ask('POST', '/grok/videos', { body }),
      lines: server.ask('POST', '/grok/videos', { body, headers: NDJSON }),
    }
  })
  after(() => server.stop())

  /** A request whose answer is read as it comes. */
  async function open(body: object, headers: Readonly<Record<string, string>>, signal: AbortSignal | null = null) {
    const answer = await fetch(`${server.url}/grok/videos`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal,
    })
    assert.ok(answer.body)
    return { answer, reader: answer.body.pipeThrough(new TextDecoderStream()).getReader() }
  }

  test('NDJSON has lines of progress that never goes back, and the polled result last', async () => {
    const body = { ...SHORT, duration: 2 }
    const answer = await server.ask('POST', '/grok/videos', { headers: NDJSON, body })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/x-ndjson')
    const { progress, last } = readLines(answer.text)
    const seen = progress.map((line) => line.progress)
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.ok(new Set(seen).size > 1, `progress was ${seen.join(', ')}`)
    const succeeded = succeededOf({ ...answer, body: last })
    for (const line of progress) {
      assert.deepEqual([line.task_id, line.trace_id], [succeeded.task_id, succeeded.trace_id])
      assert.equal(line.data[0].id, succeeded.data[0].id)
    }
    assert.deepEqual((await retrieve(server, succeeded.task_id)).response, succeeded)
  })

  test('NDJSON tells a failure in its last line', async () => {
    const answer = await server.ask('POST', '/grok/videos', { headers: NDJSON, body: { prompt: 'sandbox:moderated' } })
    assert.equal(answer.status, 200)
    const { last, progress } = readLines(answer.text)
    assert.ok(progress.length > 0)
    const { response } = await retrieve(server, progress[0]?.task_id ?? '')
    assert.deepEqual(last, response)
    assert.equal(response?.success, false)
  })

  test('NDJSON comes live; when the client leaves, the task goes on', async () => {
    const leaving = new AbortController()
    const { reader } = await open({ ...SHORT, prompt: 'A sea sandbox:slow=1' }, NDJSON, leaving.signal)
    const first = await reader.read()
    const { task_id } = JSON.parse(first.value ?? '')
    assert.equal((await retrieve(server, task_id)).response, undefined, 'the line came before the end')
    leaving.abort()
    await assert.rejects(reader.read())
    assert.equal((await waitForResponse(server, task_id)).response?.success, true)
  })

  test('when the client of a sync request leaves, the task goes on, and a repetition gets the video', async () => {
    const { key } = await server.createAccount({ credits: 100 })
    const leaving = new AbortController()
    const headers = { 'idempotency-key': 'left', authorization: `Bearer ${key}` }
    const body = { ...SHORT, prompt: 'A river sandbox:slow=1' }
    const left = open(body, headers, leaving.signal)
    const left2 = assert.rejects(left, { name: 'AbortError' })
    const id = await waitFor('the task to be made', async () => {
      const { text } = await server.ask('GET', '/api/v1/generations', { key })
      return JSON.parse(text).data[0]?.id
    })
    leaving.abort()
    await left2
    const task = await waitForResponse(server, id, { key })
    assert.equal(task.response?.success, true)
    const again = await server.ask('POST', '/grok/videos', { key: null, headers, body })
    assert.deepEqual(succeededOf(again), task.response)
  })

  test('a stopping server answers what is open at once, naming the task, which goes on after the start', async () => {
    await using other = await startServer({ env: { REELAY_RENDER_CONCURRENCY: '4' } })
    const body = { ...SHORT, prompt: 'A storm sandbox:slow=3' }
    const json = other.ask('POST', '/grok/videos', { body })
    const lines = other.ask('POST', '/grok/videos', { body, headers: NDJSON })
    const { id } = await createAsync(other, body)
    const waiting = other.ask('POST', '/grok/tasks', { body: { id }, headers: { prefer: 'wait=60' } })
    const readBefore = await waitFor('the three to run', async () => {
      const { text } = await other.ask('GET', '/api/v1/generations')
      const { data } = JSON.parse(text)
      return data.length === 3 && data.every(({ status }: { status: string }) => status === 'processing')
        ? (data as { id: string }[])
        : undefined
    })
    const began = Date.now()
    assert.deepEqual(await other.terminate(), { code: 0, signal: null })
    assert.ok(Date.now() - began < 9_000, 'open requests do not use up the time to drain')
    const answer = await json
    assert.equal(answer.status, 503, answer.text)
    assert.equal(answer.headers.get('retry-after'), '5')
    const { last } = readLines((await lines).text)
    assert.equal((await waiting).status, 200)
    await other.restart()
    for (const said of [answer.body, last]) {
      const { success, error, task_id, trace_id } = said as Record<string, unknown>
      assert.deepEqual([success, typeof trace_id], [false, 'string'])
      assert.deepEqual((error as { code: string }).code, 'api_error')
      const task = await waitForResponse(other, String(task_id))
      assert.equal(task.response?.success, true)
    }
    assert.equal(readBefore.length, 3)
  })

  test('heartbeats leave JSON and lines what they are, and a failure after them is told in the body', async () => {
    const json = await long.json
    assert.match(json.text, /^ \{"success":false/, 'one heartbeat of 15 s')
    assert.match(json.headers.get('content-type') ?? '', /^application\/json/)
    assert.equal(failedOf(json, 200).error.code, 'forbidden')
    const { progress, last } = readLines((await long.lines).text)
    const seen = progress.map((line) => line.progress)
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.equal(failedOf({ ...json, body: last }, 200).error.code, 'forbidden')
  })

  test('logged no failure of its own for any of it', () => {
    const faults = server
      .log()
      .split('\n')
      .filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(faults, [])
  })
})
