/** What an outage of the database looks like from outside: refusals that say when to come again, and nothing made twice. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findViolations } from '../../src/ledger/invariants.ts'
import { type DatabaseGate, openDatabaseGate } from '../acceptance/database-gate.ts'
import { testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { type Answer, startServer, type TestServer } from '../support/server.ts'

const PROMPT = 'sandbox:fail'

/** A create in each dialect, and how it says that it is unavailable. */
const CREATES: readonly (readonly [dialect: string, path: string, body: object, unavailable: RegExp])[] = [
  ['rivya', '/api/v1/generations', { model: 'grok-imagine-video', prompt: PROMPT }, /"code":"public_api_disabled"/],
  ['grokimagineapi', '/v1/generate', { prompt: PROMPT, mode: 'normal', ratio: '2:3' }, /"code":503/],
  ['acedata', '/grok/videos', { prompt: PROMPT, async: true }, /"code":"api_error"/],
  ['xai', '/v1/videos/generations', { model: 'grok-imagine-video', prompt: PROMPT }, /"code":"unavailable"/],
  ['openai', '/openai/v1/videos', { prompt: PROMPT }, /"code":"server_unavailable"/],
]

function assertUnavailable(answer: Answer, words: RegExp): void {
  assert.equal(answer.status, 503, answer.text)
  assert.match(answer.text, words)
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
}

async function assertSound(server: TestServer): Promise<void> {
  await server.withDatabase(async (pool) => assert.deepEqual(await findViolations(pool), []))
}

function countTasks(server: TestServer): Promise<number> {
  return server.withDatabase(async (pool) => {
    const { rows } = await pool.query<{ count: number }>('select count(*)::integer as count from tasks')
    return rows[0]?.count ?? -1
  })
}

async function waitUntilReady(server: TestServer): Promise<void> {
  await waitFor(
    'the server to be ready',
    async () => (await server.ask('GET', '/readyz', { key: null })).status === 200,
  )
}

// Each waits for the time-out of a statement, and for nothing else.
describe('a database that falls silent', { concurrency: true }, () => {
  async function behindGate(work: (server: TestServer, gate: DatabaseGate) => Promise<void>): Promise<void> {
    await using database = await testDatabase()
    await using gate = await openDatabaseGate(database.url)
    await using server = await startServer({ databaseUrl: gate.url })
    await work(server, gate)
  }

  test('ends each request with 503 and when to come again, is not ready at once, and is alive all the time', async () => {
    await behindGate(async (server, gate) => {
      const ended: string[] = []
      gate.fallSilent()
      const creates = CREATES.map(async ([dialect, path, body, unavailable]) => {
        const headers = { 'idempotency-key': dialect }
        assertUnavailable(await server.ask('POST', path, { body, headers }), unavailable)
        ended.push('create')
      })
      const reads = [1, 2].map(async () => {
        assertUnavailable(await server.ask('GET', '/api/v1/generations'), /public_api_disabled/)
        ended.push('read')
      })
      for (let probe = 0; probe < 3; probe++) {
        assert.equal((await server.ask('GET', '/healthz', { key: null })).status, 200)
        const { status, body } = await server.ask('GET', '/readyz', { key: null })
        assert.deepEqual(
          [status, body],
          [503, { status: 'not ready', checks: { database: false, worker: false, storage: false } }],
        )
      }
      assert.deepEqual(ended, [], 'probes are answered before any statement is given up')
      await Promise.all([...creates, ...reads])
      gate.speak()
      await waitUntilReady(server)
      for (const [dialect, path, body] of CREATES) {
        const again = await server.ask('POST', path, { body, headers: { 'idempotency-key': dialect } })
        assert.equal(again.status, 200, again.text)
      }
      assert.equal(await countTasks(server), CREATES.length)
      await assertSound(server)
    })
  })

  test('after it has committed a create, leaves one task, which is what a repeat with its key is answered with', async () => {
    await behindGate(async (server, gate) => {
      gate.fallSilent('submit-tasks')
      const ask = ([dialect, path, body]: (typeof CREATES)[number]) =>
        server.ask('POST', path, { body, headers: { 'idempotency-key': dialect } })
      const lost = await Promise.all(CREATES.map(ask))
      for (const [index, answer] of lost.entries()) assertUnavailable(answer, CREATES[index]?.[3] ?? /^$/)
      const made = await countTasks(server)
      assert.equal(made, CREATES.length, 'each was committed, and its answer lost')
      gate.speak()
      const again = await Promise.all(CREATES.map(ask))
      for (const answer of again) assert.equal(answer.status, 200, answer.text)
      assert.equal(await countTasks(server), made)
      await assertSound(server)
    })
  })
})

describe('a database that cannot do its work', () => {
  let server: TestServer
  before(async () => {
    server = await startServer()
    await server.withDatabase((pool) =>
      pool.query(`create table faults (code text);
        create function fail() returns trigger language plpgsql as $$
        declare code text := (select f.code from faults f limit 1);
        begin
          if code is not null then raise exception 'a fault' using errcode = code; end if;
          return new;
        end $$;
        create trigger fail before insert on tasks for each row execute function fail()`),
    )
  })
  after(() => server.stop())

  /** What PostgreSQL says: disk full, out of memory, too many connections, I/O error, read-only, starting, deadlock, lock time-out. */
  for (const code of ['53100', '53200', '53300', '58030', '25006', '57P03', '40P01', '55P03']) {
    test(`refuses creates with 503 in every dialect, and makes them when it can again (SQLSTATE ${code})`, async () => {
      const before = await countTasks(server)
      await server.withDatabase((pool) => pool.query('insert into faults values ($1)', [code]))
      for (const [dialect, path, body, unavailable] of CREATES) {
        const headers = { 'idempotency-key': `${dialect}-${code}` }
        assertUnavailable(await server.ask('POST', path, { body, headers }), unavailable)
      }
      await server.withDatabase((pool) => pool.query('delete from faults'))
      assert.equal(await countTasks(server), before)
      for (const [dialect, path, body] of CREATES) {
        const headers = { 'idempotency-key': `${dialect}-${code}` }
        const answer = await server.ask('POST', path, { body, headers })
        assert.equal(answer.status, 200, answer.text)
      }
      assert.equal(await countTasks(server), before + CREATES.length)
      await assertSound(server)
    })
  }
})
