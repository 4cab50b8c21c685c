/**
 * One PostgreSQL for a whole run of tests. The runner starts it and passes `cluster.environment` to the test files, each
 * of which clones the migrated template for itself (`database.ts`).
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-embedded-postgres.ts'
import { isRunning, occupantOf, readPostmasterFile } from '../../src/db/embedded/postmaster-file.ts'
import { stopPostmaster } from '../../src/db/embedded/stop-postmaster.ts'
import { migrate } from '../../src/db/migrate.ts'

/** A PostgreSQL for tests, with a template to clone. */
export interface TestCluster extends AsyncDisposable {
  /** What the processes of test files need in their environment to find it. */
  readonly environment: Readonly<Record<string, string>>
}

/** Where test files find the cluster of their run. */
export const URL_VARIABLE = 'REELAY_TEST_CLUSTER_URL'

export const TEMPLATE = 'reelay_template'

const DIRECTORY_PREFIX = 'reelay-test-'

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

/** The cluster's address with another database in it. */
export function databaseUrl(clusterUrl: string, database: string): string {
  const url = new URL(clusterUrl)
  url.pathname = database
  return url.href
}

export async function administer(clusterUrl: string, statement: string): Promise<void> {
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
