/**
 * A Redis of one's own: Debian's `redis-server` on a free loopback port, which keeps nothing. It can be killed, started
 * again on the same port, and made to hang. Where there is no `redis-server`, tests say `skip: redisMissing`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Redis } from 'ioredis'
import { waitFor } from './patience.ts'

/** Why tests with Redis cannot run here; `false` where they can. */
export const redisMissing: string | false =
  spawnSync('redis-server', ['--version']).error === undefined
    ? false
    : 'there is no redis-server here (Debian: apt-get install redis-server)'

/** A start takes some 10 ms; another process may have taken the port meanwhile. */
const START_ATTEMPTS = 5

const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export class TestRedis implements AsyncDisposable {
  readonly url: string
  readonly #port: number
  readonly #directory: string
  #child: ChildProcess

  private constructor(about: { port: number; directory: string; child: ChildProcess }) {
    this.url = `redis://127.0.0.1:${about.port}`
    this.#port = about.port
    this.#directory = about.directory
    this.#child = about.child
  }

  static async start(): Promise<TestRedis> {
    const directory = await mkdtemp(join(tmpdir(), 'reelay-redis-'))
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      const port = await freePort()
      const child = await spawnRedis(port, directory)
      if (child !== undefined) return new TestRedis({ port, directory, child })
    }
    throw new Error('redis-server did not start')
  }

  /** SIGKILL: connections break, and everything that it knew is lost. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Starts again after `kill()`, empty. */
  async restart(): Promise<void> {
    const child = await spawnRedis(this.#port, this.#directory)
    if (child === undefined) throw new Error(`redis-server did not start again on port ${this.#port}`)
    this.#child = child
  }

  /** From now on it takes connections and commands, and answers nothing: the worst way to be away. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  /** A plain client, to look inside with. */
  async ask<Result>(work: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(this.url)
    return await work(client).finally(() => client.disconnect())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** A server that answers; `undefined` if it could not start. */
async function spawnRedis(port: number, directory: string): Promise<ChildProcess | undefined> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  let log = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const outcome = await waitFor('redis-server to start', () => {
    if (child.exitCode !== null) return 'ended'
    return log.includes('Ready to accept connections') ? 'ready' : undefined
  })
  return outcome === 'ready' ? child : undefined
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
