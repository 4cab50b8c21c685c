import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { waitFor } from '../support/patience.ts'

const PROGRAM = fileURLToPath(new URL('./embedded-process-main.ts', import.meta.url))
const opening = z.object({ adopted: z.boolean(), pid: z.number(), url: z.string() })

/** Another process of Reelay's, which opens a directory. */
export interface OtherProcess {
  readonly child: ChildProcess
  /** What it found; rejects if it ends before it is in. */
  readonly opened: Promise<z.infer<typeof opening>>
  /** Lets it leave in order, and waits for its end. */
  leave(): Promise<void>
  /** Kills it without a chance to do anything. */
  kill(): Promise<void>
}

export function startProcess(directory: string, role: 'command' | 'server' = 'command'): OtherProcess {
  const child = fork(PROGRAM, [directory, role], { execArgv: ['--import', 'tsx'], detached: true })
  const ended = once(child, 'exit')
  const opened = Promise.race([
    once(child, 'message').then(([message]) => opening.parse(message)),
    ended.then(() => Promise.reject(new Error('the process ended before it had opened the database'))),
  ])
  opened.catch(() => undefined)
  return {
    child,
    opened,
    async leave() {
      child.send('leave')
      await ended
    },
    async kill() {
      // Its group too, so that an initdb it runs is killed with it; the postmaster is in a group of its own.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await ended
    },
  }
}

/** A new temporary directory; disposing of it removes it, and fails if a process still works in it. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'reelay-embedded-'))
  return {
    path,
    async [Symbol.asyncDispose]() {
      const left = await processesIn(path)
      for (const pid of left) process.kill(pid, 'SIGQUIT')
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
      if (left.length > 0) throw new Error(`processes ${left.join(', ')} were left in ${path}`)
    },
  }
}

/** The processes whose working directory is in `path`; every process of a PostgreSQL is in its cluster. Linux only. */
export async function processesIn(path: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: number[] = []
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (cwd.startsWith(path)) found.push(pid)
  }
  return found
}

/** Waits for a condition, looking every few milliseconds. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  await waitFor(String(condition), condition, { lookEveryMs: 5 })
}
