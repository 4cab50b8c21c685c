/**
 * Runs the tests: one PostgreSQL for all of them, one process for each file. Arguments are parts of paths: only files
 * whose path has one of them are run.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { bundled } from './bundle.ts'
import { startTestCluster } from './cluster.ts'

/** A test file that takes longer hangs. */
const FILE_TIMEOUT_MS = 300_000

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

const wanted = process.argv.slice(2)
const files = ['src', 'test', 'bench']
  .flatMap(testFiles)
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
if (files.length === 0) throw new Error(`no test file has ${wanted.join(' or ')} in its path`)

await using bundle = await bundled(files)
await using cluster = await startTestCluster()
const child = spawn(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    // Many wait for processes to start and leases to run out: three keep two cores busy.
    '--test-concurrency=3',
    ...bundle.tests,
  ],
  { stdio: 'inherit', env: { ...process.env, ...cluster.environment, ...bundle.environment } },
)
const [code] = await once(child, 'exit')
process.exitCode = typeof code === 'number' ? code : 1
