/**
 * Runs the tests: one PostgreSQL for all of them, one process for each file. Arguments are parts of paths: only files
 * whose path has one of them are run. `--long` runs the long tests (`*.long.test.ts`) instead of the others.
 *
 * Everything that the run makes lies in one temporary folder, and the janitor ends what works there when the run is over,
 * however it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { bundled } from './bundle.ts'
import { startTestCluster } from './cluster.ts'
import { Patience } from './patience.ts'

/** No test is silent for that long on a machine with a free core. */
const SILENCE_MS = 5 * 60_000

/** How often silence is looked for. */
const LOOK_EVERY_MS = 5_000

/** Many tests wait for processes to start and leases to run out: three files at once keep two cores busy. */
const FILES_AT_ONCE = 3

const LONG = '.long.test.ts'

/** The test files whose path has one of the words, or all; long ones, or the others. */
function testFiles(words: readonly string[], isLong: boolean): string[] {
  const files = ['src', 'test', 'bench'].flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts') && entry.name.endsWith(LONG) === isLong)
      .map((entry) => join(entry.parentPath, entry.name)),
  )
  return files.filter((file) => words.length === 0 || words.some((word) => file.includes(word))).sort()
}

/** Waits for the tests to end. Ends them when they have been silent for too long, and when the run is interrupted. */
async function exitCodeOf(tests: ChildProcess): Promise<number> {
  const silence = new Patience(SILENCE_MS)
  for (const [from, to] of [
    [tests.stdout, process.stdout],
    [tests.stderr, process.stderr],
  ] as const) {
    from?.on('data', () => silence.renew()).pipe(to, { end: false })
  }
  let endedFor: string | undefined
  const end = (why: string) => {
    endedFor ??= why
    tests.kill('SIGKILL')
  }
  const watch = setInterval(() => {
    if (silence.isOver()) end('no test has made progress for minutes')
  }, LOOK_EVERY_MS)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => end(`interrupted by ${signal}`))
  const [code] = await once(tests, 'close')
  clearInterval(watch)
  if (endedFor !== undefined) process.stderr.write(`\nThe run was ended: ${endedFor}.\n`)
  return typeof code === 'number' && endedFor === undefined ? code : 1
}

/** Starts the janitor of a folder. Disposing of it, and the end of this process, set it to work. */
function startJanitor(folder: string): AsyncDisposable {
  const program = ['--import', import.meta.resolve('tsx'), new URL('janitor.ts', import.meta.url).pathname, folder]
  const janitor = spawn(process.execPath, program, { stdio: ['pipe', 'inherit', 'inherit'], detached: true, cwd: '/' })
  const gone = once(janitor, 'exit')
  return {
    async [Symbol.asyncDispose]() {
      janitor.stdin?.end()
      await gone
    },
  }
}

const { values, positionals } = parseArgs({ options: { long: { type: 'boolean' } }, allowPositionals: true })
const files = testFiles(positionals, values.long === true)
if (files.length === 0) {
  const kind = values.long === true ? 'long test file' : 'test file (long ones are run by "npm run test:long")'
  throw new Error(`no ${kind} has ${positionals.join(' or ')} in its path`)
}

const folder = await mkdtemp(join(tmpdir(), 'reelay-run-'))
// Where PostgreSQL runs as another user than root, that user has to get through.
await chmod(folder, 0o711)
await using _janitor = startJanitor(folder)
process.env['TMPDIR'] = folder
await using bundle = await bundled(files)
await using cluster = await startTestCluster()
const tests = spawn(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', `--test-concurrency=${FILES_AT_ONCE}`, ...bundle.tests],
  {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...cluster.environment, ...bundle.environment },
  },
)
process.exitCode = await exitCodeOf(tests)
