/**
 * Databases for tests: each a clone of the migrated template of the run's PostgreSQL (`cluster.ts`). A test file that is
 * run alone finds no such PostgreSQL, starts one of its own, and stops it when its tests are over.
 */
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import type pg from 'pg'
import { openPool } from '../../src/db/database.ts'
import { administer, databaseUrl, startTestCluster, TEMPLATE, type TestCluster, URL_VARIABLE } from './cluster.ts'

/** A database of one's own; disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly pool: pg.Pool
}

/** As many as a process of tests can use at once, and few enough that several share the server's 100. */
const POOL_CONNECTIONS = 10

/** A fresh database: migrated, or (for tests of migrations) empty. */
export async function testDatabase(contents: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const clusterUrl = await findCluster()
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(clusterUrl, `create database ${name} template ${contents === 'migrated' ? TEMPLATE : 'template0'}`)
  const url = databaseUrl(clusterUrl, name)
  const pool = openPool({ connectionString: url }, POOL_CONNECTIONS)
  return {
    url,
    pool,
    async [Symbol.asyncDispose]() {
      if (!pool.ended) await pool.end()
      await administer(clusterUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

let ownCluster: Promise<TestCluster> | undefined

// Said while the file is loaded, so it holds for the whole file; inside a test it would hold for that test.
after(async () => {
  await (await ownCluster)?.[Symbol.asyncDispose]()
})

async function findCluster(): Promise<string> {
  const given = process.env[URL_VARIABLE]
  if (given !== undefined) return given
  ownCluster ??= startTestCluster()
  const url = (await ownCluster).environment[URL_VARIABLE]
  if (url === undefined) throw new Error('the cluster has no address')
  return url
}
