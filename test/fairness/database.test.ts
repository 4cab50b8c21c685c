/** Connections of the database: statements of one account that do not end beside the requests of another. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { picture, upload } from '../acceptance/reference-files.ts'
import { waitFor } from '../support/patience.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** More than the server has connections. */
const STUCK = 40

describe('an account whose statements do not end', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
  })
  after(() => server.stop())

  test('keeps no other from reading, listing and creating, nor the server from being ready', async () => {
    const [greedy, other] = await Promise.all([server.createAccount(), server.createAccount({ credits: 1_000 })])
    const file = await upload(server, { kind: 'image', bytes: await picture('red'), key: greedy.key })
    await server.withDatabase(async (pool) => {
      const holder = await pool.connect()
      try {
        await holder.query('begin')
        await holder.query('select from files for update')
        let answered = 0
        const deletes = Array.from({ length: STUCK }, async () => {
          const answer = await server.ask('DELETE', `/api/v1/files/${file.id}`, { key: greedy.key })
          answered += 1
          return answer.status
        })
        await waitFor('some of them to wait for the row', async () => {
          const { rows } = await pool.query<{ waiting: number }>(
            `select count(*)::integer as waiting from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'`,
          )
          return (rows[0]?.waiting ?? 0) >= 4 ? true : undefined
        })
        const { key } = other
        for (let round = 0; round < 3; round++) {
          const body = { model: 'grok-imagine-video', prompt: 'sandbox:fail a quiet sea' }
          const answers = await Promise.all([
            server.ask('GET', '/api/v1/credits', { key }),
            server.ask('GET', '/api/v1/generations', { key }),
            server.ask('GET', '/api/v1/files', { key }),
            server.ask('POST', '/api/v1/generations', { key, body }),
            server.ask('GET', '/readyz'),
          ])
          assert.deepEqual(
            answers.map(({ status }) => status),
            [200, 200, 200, 200, 200],
            answers.map(({ text }) => text).join('\n'),
          )
        }
        assert.equal(answered, 0, 'all of that came before any of theirs')
        await holder.query('rollback')
        assert.deepEqual((await Promise.all(deletes)).sort(), [200, ...Array.from({ length: STUCK - 1 }, () => 404)])
      } finally {
        holder.release()
      }
    })
  })
})
