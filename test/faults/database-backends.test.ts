/** PostgreSQL's processes end, are killed, and come again; the server that they served goes on. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { connectionAt } from '../../src/db/embedded/lifecycle-session.ts'
import { readPostmasterFile } from '../../src/db/embedded/postmaster-file.ts'
import { findViolations } from '../../src/ledger/invariants.ts'
import { waitFor } from '../support/patience.ts'
import { runCli, startServer, type TestServer } from '../support/server.ts'

/** As `lifecycle-session.ts` has them. */
const SERVER_LOCK_CLASS = 0x5265656c
const SERVER_LOCK = 2

const BODY = { model: 'grok-imagine-video', prompt: 'sandbox:fail' }

describe('a server with its embedded PostgreSQL', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({ database: 'embedded' })
  })
  after(() => server.stop())

  async function inDatabase<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const file = await readPostmasterFile(join(server.dataDirectory, 'postgres', 'cluster'))
    const client = new pg.Client(connectionAt(file?.socketDirectory ?? assert.fail('no socket'), 'reelay'))
    client.on('error', () => {})
    await client.connect()
    return await work(client).finally(() => client.end())
  }

  async function backends(applicationName: RegExp): Promise<number[]> {
    const { rows } = await inDatabase((client) =>
      client.query<{ pid: number; application_name: string }>(
        `select pid, application_name from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      ),
    )
    return rows.filter((row) => applicationName.test(row.application_name)).map(({ pid }) => pid)
  }

  async function assertServes(key: string): Promise<void> {
    const answer = await waitFor('a create', async () => {
      const { status, text } = await server.ask('POST', '/api/v1/generations', {
        body: BODY,
        headers: { 'idempotency-key': key },
      })
      if (status === 200) return text
      assert.equal(status, 503, text)
      return undefined
    })
    const { id } = JSON.parse(answer)
    await waitFor('its end', async (seen) => {
      const { body } = await server.ask('GET', `/api/v1/generations/${id}`)
      seen(body)
      return /"failed"/.test(JSON.stringify(body))
    })
  }

  /** The one server of the directory, and the last out, it is by locks that it has to take again. */
  async function assertIsTheServer(): Promise<void> {
    await waitFor('the lock of the server', async () =>
      inDatabase(async (client) => {
        const { rows } = await client.query<{ objid: number }>(
          `select objid from pg_locks l join pg_database d on d.oid = l.database
           where d.datname = 'postgres' and locktype = 'advisory' and granted and pid <> pg_backend_pid() order by objid`,
        )
        return rows.map(({ objid }) => Number(objid)).join() === '1,2'
      }).catch(() => undefined),
    )
  }

  const KINDS = { lifecycle: /^reelay, process/, listener: /^reelay-listen$/, pool: /^reelay$/ } as const

  for (const [kind, name] of Object.entries(KINDS)) {
    test(`goes on when its ${kind} backends are ended`, async () => {
      const pids = await waitFor('the backends', async () => {
        const found = await backends(name)
        return found.length > 0 ? found : undefined
      })
      await inDatabase(async (client) => {
        for (const pid of pids) await client.query('select pg_terminate_backend($1)', [pid])
      })
      await assertServes(`ended-${kind}`)
      await assertIsTheServer()
    })
  }

  for (const [kind, name] of Object.entries(KINDS)) {
    test(`goes on when a ${kind} backend is killed, which PostgreSQL answers by ending all`, async () => {
      const [pid] = await waitFor('the backend', async () => {
        const found = await backends(name).catch(() => [])
        return found.length > 0 ? found : undefined
      })
      process.kill(pid ?? assert.fail(), 'SIGKILL')
      await assertServes(`killed-${kind}`)
      await assertIsTheServer()
    })
  }

  test('starts PostgreSQL again when all of it is killed', async () => {
    const file = await readPostmasterFile(join(server.dataDirectory, 'postgres', 'cluster'))
    process.kill(file?.pid ?? assert.fail(), 'SIGKILL')
    await assertServes('postmaster')
    await assertIsTheServer()
  })

  test('is still the one server of its directory', async () => {
    const second = await runCli(['serve'], server.env)
    assert.equal(second.code, 1)
    assert.match(second.stderr + second.stdout, /Another Reelay server/)
  })

  test('has lost nothing by all of that, and ends in order', async () => {
    assert.deepEqual(await inDatabase(findViolations), [])
    assert.match(server.log(), /the embedded PostgreSQL broke off/)
    assert.match(server.log(), /the embedded PostgreSQL is joined again/)
    const { code } = await server.terminate()
    assert.equal(code, 0, server.log().slice(-2_000))
  })
})

describe('a server whose directory another process takes while its own session is gone', () => {
  test('ends, for it cannot be the one server any more', async () => {
    await using server = await startServer({ database: 'embedded' })
    const file = await readPostmasterFile(join(server.dataDirectory, 'postgres', 'cluster'))
    const connection = connectionAt(file?.socketDirectory ?? assert.fail('no socket'), 'postgres')
    const [other, admin] = [new pg.Client(connection), new pg.Client(connection)]
    for (const client of [other, admin]) {
      client.on('error', () => {})
      await client.connect()
    }
    // It waits for the server's lock, and has it the moment that the session of the server ends.
    const taken = other.query('select pg_advisory_lock($1, $2)', [SERVER_LOCK_CLASS, SERVER_LOCK])
    await waitFor('the other to wait', async () => {
      const { rowCount } = await admin.query(`select from pg_locks where locktype = 'advisory' and not granted`)
      return rowCount === 1
    })
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^reelay, process'`,
    )
    await taken
    const { code } = await server.exited
    assert.equal(code, 1)
    assert.match(server.log(), /Another Reelay server.*is running on/)
    await Promise.all([other, admin].map((client) => client.end().catch(() => {})))
  })
})
