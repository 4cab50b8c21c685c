/** `--role api` and `--role worker`: the same platform in two processes. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { testDatabase } from '../support/database.ts'
import { waitFor } from '../support/patience.ts'
import { request, runCli, startCli } from '../support/server.ts'
import { CHEAP, generationOf } from './rivya.ts'

const KEY = `rly_live_${'k'.repeat(32)}`

describe('an API and a worker as two processes', () => {
  test('the API is ready only while there is a worker, which then takes what was queued', async () => {
    await using database = await testDatabase()
    const directory = await mkdtemp(join(tmpdir(), 'reelay-roles-'))
    const env = {
      DATABASE_URL: database.url,
      REELAY_DATA_DIR: directory,
      REELAY_STORE: pathToFileURL(join(directory, 'shared')).href,
      REELAY_PORT: '0',
      REELAY_BOOTSTRAP_KEY: KEY,
    }
    const api = startCli(['serve', '--json', '--role', 'api'], env)
    let worker: ReturnType<typeof startCli> | undefined
    try {
      let output = ''
      api.child.stdout?.on('data', (text: string) => {
        output += text
      })
      const url = await waitFor('the API’s address', () => /^\{"url":"([^"]+)"\}$/m.exec(output)?.[1])
      const alone = await request(`${url}/readyz`, 'GET')
      assert.deepEqual(
        [alone.status, alone.body],
        [503, { status: 'not ready', checks: { database: true, worker: false, storage: false } }],
      )
      const { id } = generationOf(await request(`${url}/api/v1/generations`, 'POST', { key: KEY, body: CHEAP }))

      worker = startCli(['serve', '--json', '--role', 'worker'], { ...env, REELAY_PUBLIC_URL: url })
      await waitFor('the API to be ready', async () =>
        (await request(`${url}/readyz`, 'GET')).status === 200 ? true : undefined,
      )
      const read = () => request(`${url}/api/v1/generations/${id}`, 'GET', { key: KEY })
      await waitFor('the worker to end the task', async () =>
        generationOf(await read()).status === 'failed' ? true : undefined,
      )
    } finally {
      for (const process of [worker, api]) process?.child.kill('SIGTERM')
      const ends = await Promise.all([worker?.result, api.result])
      await rm(directory, { recursive: true, force: true })
      assert.deepEqual(
        ends.map((end) => end?.code),
        [0, 0],
      )
    }
  })

  test('a second worker on one data directory refuses to take the first one’s tasks', async () => {
    await using database = await testDatabase()
    const directory = await mkdtemp(join(tmpdir(), 'reelay-roles-'))
    const env = { DATABASE_URL: database.url, REELAY_DATA_DIR: directory, REELAY_PORT: '0', REELAY_BOOTSTRAP_KEY: KEY }
    const first = startCli(['serve', '--json'], env)
    try {
      await waitFor('the first to work', async () => {
        const { rows } = await database.pool.query<{ id: string }>(`select id from workers`)
        return rows[0]?.id
      })
      const second = await runCli(['serve', '--json'], env)
      assert.equal(second.code, 1)
      assert.match(second.stdout, /Another Reelay works with the data directory .*REELAY_DATA_DIR/)
    } finally {
      first.child.kill('SIGTERM')
      await first.result
      await rm(directory, { recursive: true, force: true })
    }
  })
})
