/**
 * The real server, as operators start it: `reelay serve` in a process of its own, asked over HTTP.
 *
 *   describe('…', () => {
 *     let server: TestServer
 *     before(async () => { server = await startServer() })
 *     after(() => server.stop())
 *     …
 *   })
 *
 * or `await using server = await startServer()` inside one test. Inside a `describe`, not beside it: hooks at the top of
 * a file run after the file's PostgreSQL has been stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'
import { createAccount } from '../../src/accounts/create-account.ts'
import { createKey } from '../../src/accounts/create-key.ts'
import { hashSecret } from '../../src/accounts/key-secret.ts'
import { MAX_REQUESTS_PER_MINUTE, type PlanName } from '../../src/accounts/plans.ts'
import { selectKeyHolder, updateAccount } from '../../src/accounts/queries.ts'
import { SCOPES } from '../../src/canonical/scopes.ts'
import { occupantOf, readPostmasterFile } from '../../src/db/embedded/postmaster-file.ts'
import { stopPostmaster } from '../../src/db/embedded/stop-postmaster.ts'
import { MAIN_VARIABLE } from './bundled-main.ts'
import { testDatabase } from './database.ts'
import { waitFor, within } from './patience.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** From spawn to ready: seconds, and more where tests and a cold disk share two cores. */
const START_PATIENCE_MS = 60_000

/** A test that leaves a call under way does not wait as long for its end as an operator would. */
const DRAIN_SECONDS = 10

/** `serve` promises to end within its drain; what is still there so much later hangs. */
const STOP_MARGIN_MS = 5_000

/** A command that takes longer hangs. */
const COMMAND_PATIENCE_MS = 60_000

const DEFAULT_CREDITS = 10_000

type Environment = Readonly<Record<string, string | undefined>>

export interface ServerOptions {
  /** Beside what is set here by itself; `undefined` takes a variable away. E.g. `{ REELAY_FAULT: 'start.saved' }`. */
  readonly env?: Environment
  /** An existing database (with the server's key in it, if `key` is given); it is not dropped. Default: a clone of its own. */
  readonly databaseUrl?: string
  /** An existing directory, which is not removed. Default: a temporary one. */
  readonly dataDirectory?: string
  /** Live credits of the first account. */
  readonly credits?: number
  /** The first account's live key; default: a fresh one. */
  readonly key?: string
  /** No `DATABASE_URL`: the server runs its own PostgreSQL in the data directory. */
  readonly database?: 'embedded'
}

/** How a process ended: one of the two is set. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface TestAccount {
  readonly accountId: string
  /** Its live key. */
  readonly key: string
  readonly testKey: string
}

/** One answer over HTTP, read to the end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The very bytes, as text. */
  readonly text: string
  /** The parsed body; `undefined` if it is not JSON. `test/acceptance/rivya.ts` reads it into types. */
  readonly body: unknown
}

export interface Ask {
  /** Default: the first account's live key; `null` sends none. */
  readonly key?: string | null
  /** Sent as JSON; a text or bytes are sent as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Starts `serve` on a free port and waits until it is ready. Whatever was made for it goes with `stop()`. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const owned: (() => Promise<void>)[] = []
  const dataDirectory = options.dataDirectory ?? (await temporaryDirectory(owned))
  const databaseUrl = options.database === 'embedded' ? undefined : (options.databaseUrl ?? (await ownDatabase(owned)))
  const key = options.key ?? `rly_live_${randomBytes(24).toString('base64url')}`
  const server = new TestServer({ owned, dataDirectory, databaseUrl, key, options })
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

export class TestServer implements AsyncDisposable {
  /** `http://127.0.0.1:<port>`; another one after a restart. */
  url = ''
  /** The live key of the first account (plan enterprise). */
  readonly key: string
  /** `undefined` with an embedded database; `command('accounts', 'create', …)` makes an account there. */
  testKey: string | undefined
  accountId: string | undefined
  readonly dataDirectory: string
  readonly databaseUrl: string | undefined
  /** What the server was started with, and what a command beside it needs. */
  env: Readonly<Record<string, string>> = {}
  /** Settles when the process is gone. */
  exited: Promise<Exit> = Promise.resolve({ code: 0, signal: null })
  #child: ChildProcess | undefined
  #log = ''
  readonly #owned: (() => Promise<void>)[]
  readonly #options: ServerOptions

  constructor(about: {
    owned: (() => Promise<void>)[]
    dataDirectory: string
    databaseUrl: string | undefined
    key: string
    options: ServerOptions
  }) {
    this.#owned = about.owned
    this.dataDirectory = about.dataDirectory
    this.databaseUrl = about.databaseUrl
    this.key = about.key
    this.#options = about.options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Everything that the server (all of its lives) wrote to standard output and error. */
  log(): string {
    return this.#log
  }

  async start(env: Environment = {}): Promise<void> {
    this.env = cleanEnvironment({
      REELAY_PORT: '0',
      REELAY_DATA_DIR: this.dataDirectory,
      REELAY_DRAIN_SECONDS: String(DRAIN_SECONDS),
      DATABASE_URL: this.databaseUrl,
      REELAY_STORE: this.databaseUrl === undefined ? undefined : storeOf(this.databaseUrl, this.dataDirectory),
      REELAY_BOOTSTRAP_KEY: this.key,
      REELAY_BOOTSTRAP_CREDITS: String(this.#options.credits ?? DEFAULT_CREDITS),
      ...this.#options.env,
      ...env,
    })
    const child = spawnReelay(['serve', '--json'], this.env, this.dataDirectory)
    this.#child = child
    this.exited = exitOf(child)
    const before = this.#log.length
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text
      })
    }
    const since = () => this.#log.slice(before)
    this.url = await this.#waitForStart(() => /^\{"url":"([^"]+)"\}$/m.exec(since())?.[1], since)
    await this.#waitForStart(async () => (await isReady(this.url)) || undefined, since)
    if (this.databaseUrl !== undefined && this.testKey === undefined) await this.#readFirstAccount(this.databaseUrl)
  }

  /** SIGTERM, and SIGKILL if that does not help in time; then removes what was made for this server. */
  async stop(): Promise<Exit> {
    const exit = await this.terminate()
    await removeProcesses(this.#child, this.dataDirectory)
    for (const remove of this.#owned.splice(0).reverse()) await remove()
    return exit
  }

  /** SIGTERM, and waits; data and database stay. Throws if the process does not end by itself. */
  async terminate(): Promise<Exit> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return this.exited
    child.kill('SIGTERM')
    const patienceMs = Number(this.env['REELAY_DRAIN_SECONDS']) * 1_000 + STOP_MARGIN_MS
    const exit = await within(patienceMs, this.exited)
    if (exit !== undefined) return exit
    child.kill('SIGKILL')
    await this.exited
    throw new Error(`the server was still there ${patienceMs} ms after SIGTERM:\n${this.#log.slice(-4_000)}`)
  }

  /** SIGKILL of the server alone, as a crash would; data and database stay. */
  async kill(): Promise<Exit> {
    this.#child?.kill('SIGKILL')
    return this.exited
  }

  /** A new process on the same data, key and database (another port). `env` is for this life only. */
  async restart(env: Environment = {}): Promise<void> {
    await this.terminate()
    await this.start(env)
  }

  /** A request to this server, by default with the first account's live key. */
  ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    return request(`${this.url}${path}`, method, { ...ask, key: ask.key === undefined ? this.key : ask.key })
  }

  /** Runs `reelay …args` beside this server: same database, `REELAY_URL` and `REELAY_API_KEY` set. */
  command(...args: string[]): Promise<CommandResult> {
    return runCli(args, { ...this.env, REELAY_URL: this.url, REELAY_API_KEY: this.key })
  }

  /** Another account, made in the database directly (a command would take a second). */
  async createAccount(
    wanted: { credits?: number; plan?: PlanName; spicyAllowed?: boolean; requestsPerMinute?: number | 'plan' } = {},
  ): Promise<TestAccount> {
    const { credits = 0, plan = 'enterprise', spicyAllowed = false } = wanted
    // As the first account: tests poll every 25 ms, and only those about rate limits want to meet one.
    const { requestsPerMinute = MAX_REQUESTS_PER_MINUTE } = wanted
    return this.withDatabase(async (pool) => {
      const made = await createAccount(pool, {
        name: 'another',
        plan,
        credits: BigInt(credits),
        spicyAllowed,
        requestsPerMinute: requestsPerMinute === 'plan' ? undefined : requestsPerMinute,
      })
      return { accountId: made.account.id, key: made.liveKey, testKey: made.testKey }
    })
  }

  /** Works with the server's database, for what only time or an operator could do. */
  async withDatabase<Result>(work: (pool: pg.Pool) => Promise<Result>): Promise<Result> {
    if (this.databaseUrl === undefined) throw new Error('an embedded database is reached by commands only')
    const pool = new pg.Pool({ connectionString: this.databaseUrl, max: 2 })
    return await work(pool).finally(() => pool.end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #readFirstAccount(databaseUrl: string): Promise<void> {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    try {
      const account = (await selectKeyHolder(pool, hashSecret(this.key)))?.account.id
      if (account === undefined) return
      this.accountId = account
      const requestsPerMinute = MAX_REQUESTS_PER_MINUTE
      await updateAccount(pool, account, { plan: undefined, spicyAllowed: undefined, requestsPerMinute })
      const wanted = { account, mode: 'test', name: 'tests', scopes: SCOPES, expiresInDays: undefined } as const
      this.testKey = (await createKey(pool, wanted)).secret
    } finally {
      await pool.end()
    }
  }

  async #waitForStart<Found>(
    look: () => Promise<Found | undefined> | Found | undefined,
    log: () => string,
  ): Promise<Found> {
    const child = this.#child
    return waitFor(
      'the server to start',
      async () => {
        const found = await look()
        if (found === undefined && child !== undefined && hasEnded(child)) {
          throw new Error(`the server ended instead of starting:\n${log().slice(-4_000)}`)
        }
        return found
      },
      { patienceMs: START_PATIENCE_MS },
    )
  }
}

/** Runs one `reelay` command to its end, in an empty environment but for `env`. Never throws for an exit code. */
export async function runCli(args: readonly string[], env: Environment = {}): Promise<CommandResult> {
  return await startCli(args, env).result
}

/** Starts a `reelay` command without waiting, to be sent signals. Its working directory is `cwd`, or the temporary one. */
export function startCli(
  args: readonly string[],
  env: Environment = {},
  cwd = tmpdir(),
): { readonly child: ChildProcess; readonly result: Promise<CommandResult>; readonly stderr: () => string } {
  const child = spawnReelay(args, cleanEnvironment(env), cwd)
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const result = (async () => {
    const exit = await within(COMMAND_PATIENCE_MS, exitOf(child))
    if (exit !== undefined) return { code: exit.code, stdout: stdout(), stderr: stderr() }
    child.kill('SIGKILL')
    throw new Error(`reelay ${args.join(' ')} did not end:\n${stdout()}\n${stderr()}`)
  })()
  return { child, result, stderr }
}

/** One request, its answer read to the end. */
export async function request(url: string, method: string, { key, body, headers }: Ask = {}): Promise<Answer> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(key === undefined || key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, body: parse(text) }
}

/** A directory that `owned` removes. */
async function temporaryDirectory(owned: (() => Promise<void>)[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-server-'))
  temporaryDirectories.add(directory)
  owned.push(async () => {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    temporaryDirectories.delete(directory)
  })
  return directory
}

/** Servers of one database share the folder for media of the first of them, as operators must have them do. */
function storeOf(databaseUrl: string, dataDirectory: string): string {
  const store = stores.get(databaseUrl) ?? pathToFileURL(join(dataDirectory, 'media')).href
  stores.set(databaseUrl, store)
  return store
}

const stores = new Map<string, string>()

async function ownDatabase(owned: (() => Promise<void>)[]): Promise<string> {
  const database = await testDatabase()
  owned.push(async () => database[Symbol.asyncDispose]())
  return database.url
}

/** Nothing of the operator's own settings may reach a server under test. */
function cleanEnvironment(env: Environment): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(REELAY_|DATABASE_URL$|REDIS_URL$|PG[A-Z]|NODE_TEST_CONTEXT$)/.test(name),
  )
  const set: Record<string, string> = {}
  for (const [name, value] of [...inherited, ...Object.entries(env)]) {
    if (value !== undefined) set[name] = value
  }
  return set
}

/** In a process group of its own, so that its render processes can be ended with it, whatever becomes of it. */
function spawnReelay(args: readonly string[], env: Record<string, string>, cwd: string): ChildProcess {
  const bundle = process.env[MAIN_VARIABLE]
  const program = bundle === undefined ? ['--import', import.meta.resolve('tsx'), MAIN] : [bundle]
  const child = spawn(process.execPath, [...program, ...args], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

const children = new Set<ChildProcess>()
const temporaryDirectories = new Set<string>()

// A test process that ends too early leaves nothing behind.
process.once('exit', () => {
  for (const child of children) killGroup(child)
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true })
})

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group is gone.
  }
}

/** Ends what a killed server left: its render processes, and its embedded PostgreSQL, which is a session of its own. */
async function removeProcesses(child: ChildProcess | undefined, dataDirectory: string): Promise<void> {
  if (child !== undefined) killGroup(child)
  const cluster = join(dataDirectory, 'postgres', 'cluster')
  const file = await readPostmasterFile(cluster)
  if (file !== undefined && (await occupantOf(file, cluster)) === 'postmaster') await stopPostmaster(cluster)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** When the process is gone and its output is read to the end. */
function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    // `close` would wait for grandchildren that still hold the pipes after a SIGKILL.
    child.once('exit', (code, signal) => {
      const end = () => resolve({ code, signal })
      const ended = setTimeout(end, 500)
      child.once('close', () => {
        clearTimeout(ended)
        end()
      })
    })
  })
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  return () => text
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
