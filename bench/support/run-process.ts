import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const loadResult = z.object({
  perSecond: z.number(),
  statuses: z.record(z.string(), z.number()),
  p50Ms: z.number(),
  p99Ms: z.number(),
})
export type LoadResult = z.infer<typeof loadResult>

export interface LoadPlan {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly requests: readonly {
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  }[]
}

/** Runs the load generator; an answer that is not 200 makes the run void. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const child = start('./load.ts', [JSON.stringify(plan)])
  const [line] = await Promise.all([firstLine(child), once(child, 'exit')])
  const result = loadResult.parse(JSON.parse(line))
  const unexpected = Object.keys(result.statuses).filter((status) => status !== '200')
  if (unexpected.length > 0) throw new Error(`void: the load met ${JSON.stringify(result.statuses)}`)
  return result
}

export interface BackgroundServer extends AsyncDisposable {
  readonly url: string
  readonly pid: number
}

/** Starts a module of ours that prints `{"url":…}` on its first line of output, and stops it by SIGTERM. */
export async function startServer(
  module: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<BackgroundServer> {
  const child = start(module, args, environment)
  const exited = once(child, 'exit')
  const line = await Promise.race([firstLine(child), exited.then(() => '{}')])
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(line))
  return {
    url,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function start(
  module: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(module, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  const [line] = await once(lines, 'line')
  return String(line)
}
