/** A statement ends when the client leaves for which it is made, unless it must finish. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'

const BODY = { model: 'grok-imagine-video', prompt: 'sandbox:fail' }

describe('a client that leaves', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  function ask(method: string, path: string, body?: object) {
    const leaving = new AbortController()
    const answer = fetch(`${server.url}${path}`, {
      method,
      signal: leaving.signal,
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', 'idempotency-key': 'key' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).then(
      // A list is given up by itself after a while; on a busy machine that may be before the client leaves.
      ({ status }) => assert.equal(status, 503, 'there is nothing to answer yet'),
      () => {},
    )
    return { leave: () => leaving.abort(), answer }
  }

  /** Work while nothing can be read from the tasks; `waiting` are the statements of the server that wait for it. */
  async function whileLocked(work: (waiting: (text: string) => Promise<number>) => Promise<void>): Promise<void> {
    await server.withDatabase(async (pool) => {
      const locker = await pool.connect()
      try {
        await locker.query('begin')
        await locker.query('lock table tasks in access exclusive mode')
        await work(async (text) => {
          const { rows } = await pool.query<{ count: number }>(
            `select count(*)::integer as count from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock' and query like '%' || $1 || '%' and pid <> pg_backend_pid()`,
            [text],
          )
          return rows[0]?.count ?? -1
        })
      } finally {
        await locker.query('rollback')
        locker.release()
      }
    })
  }

  const READS: readonly (readonly [what: string, statement: string, method: string, path: string, body?: object])[] = [
    ['list', 'with page as', 'GET', '/api/v1/generations?limit=100'],
    ['list of OpenAI', 'with page as', 'GET', '/openai/v1/videos'],
    [
      'batch',
      't.id, t.dialect, t.model',
      'POST',
      '/grok/tasks',
      { action: 'retrieve_batch', ids: [`task_${'0'.repeat(31)}1`] },
    ],
  ]
  for (const [what, statement, method, path, body] of READS) {
    test(`has no ${what} read for it any more`, async () => {
      await whileLocked(async (waiting) => {
        // One account reads few pages at once: the others wait for their turn.
        const reader = ask(method, path, body)
        await waitFor('the reads to wait', async (seen) => {
          const count = await waiting(statement)
          seen(count)
          return count === 1
        })
        reader.leave()
        await reader.answer
        await waitFor('the statements to end, while what they wait for is still locked', async (seen) => {
          const count = await waiting(statement)
          seen(count)
          return count === 0
        })
      })
      assert.equal((await server.ask('GET', '/api/v1/generations')).status, 200)
    })
  }

  test('has its create finished all the same: a repeat with its key finds the task', async () => {
    await whileLocked(async (waiting) => {
      const { leave, answer } = ask('POST', '/api/v1/generations', BODY)
      await waitFor('the create to wait', async () => (await waiting('submit_tasks')) === 1)
      leave()
      await answer
    })
    const repeated = await waitFor('the task', async () => {
      const { rows } = await server.withDatabase((pool) => pool.query<{ id: string }>('select id from tasks'))
      return rows[0]?.id.replaceAll('-', '')
    })
    const again = await server.ask('POST', '/api/v1/generations', { body: BODY, headers: { 'idempotency-key': 'key' } })
    assert.match(again.text, new RegExp(repeated))
  })
})
