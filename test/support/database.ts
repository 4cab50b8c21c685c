/**
 * Databases for tests. One PostgreSQL serves a whole run: the runner starts it (`startTestCluster`) and passes
 * `cluster.environment` to the test files, each of which clones the migrated template for itself. A test file that is
 * run alone finds no such environment, starts a PostgreSQL of its own, and stops it when its tests are over.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import { openPool } from '../../src/db/database.ts'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { isRunning, occupantOf, readPostmasterFile } from '../../src/db/embedded/postmaster-file.ts'
import { stopPostmaster } from '../../src/db/embedded/stop-postmaster.ts'
import { migrate } from '../../src/db/migrate.ts'

/** A PostgreSQL for tests, with a template to clone. */
export interface TestCluster extends AsyncDisposable {
  /** What the processes of test files need in their environment to find it. */
  readonly environment: Readonly<Record<string, string>>
}

/** A database of one's own; disposing of it drops it. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly pool: pg.Pool
}

const URL_VARIABLE = 'REELAY_TEST_CLUSTER_URL'
const TEMPLATE = 'reelay_template'
const DIRECTORY_PREFIX = 'reelay-test-'

/** As many as a process of tests can use at once, and few enough that several share the server's 100. */
const POOL_CONNECTIONS = 10

/** Starts a PostgreSQL in a temporary directory and migrates the template. It keeps nothing: fsync is off. */
export async function startTestCluster(): Promise<TestCluster> {
  await removeAbandonedClusters()
  const directory = await mkdtemp(join(tmpdir(), `${DIRECTORY_PREFIX}${process.pid}-`))
  const postgres = await openEmbeddedPostgres({ directory, durable: 'no' })
  const remove = async (): Promise<void> => {
    await postgres[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await administer(postgres.connectionString, `create database ${TEMPLATE}`)
    await migrate({ connectionString: databaseUrl(postgres.connectionString, TEMPLATE) })
    // A template can be cloned only while nobody is connected to it; so nobody may be.
    await administer(postgres.connectionString, `alter database ${TEMPLATE} is_template true allow_connections false`)
  } catch (error) {
    await remove()
    throw error
  }
  return { environment: { [URL_VARIABLE]: postgres.connectionString }, [Symbol.asyncDispose]: remove }
}

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

function databaseUrl(clusterUrl: string, database: string): string {
  const url = new URL(clusterUrl)
  url.pathname = database
  return url.href
}

async function administer(clusterUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/** A run that was killed leaves its PostgreSQL and its directory; the next one ends and removes them. */
async function removeAbandonedClusters(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(DIRECTORY_PREFIX)) continue
    const owner = Number(name.slice(DIRECTORY_PREFIX.length).split('-')[0])
    if (await isRunning(owner)) continue
    const directory = join(tmpdir(), name)
    const cluster = join(directory, 'cluster')
    const file = await readPostmasterFile(cluster)
    if (file !== undefined && (await occupantOf(file, cluster)) === 'postmaster') await stopPostmaster(cluster)
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}
