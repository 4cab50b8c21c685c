/**
 * Demuxers meet files here that were made to break them. One loop of the demuxer in use never ends on a damaged WebM of
 * 16 KB (mediabunny 1.61.0, where it looks for the next element in the last eight bytes), and no timer of the same
 * thread can stop it. So they run in a thread that can be, with a memory of its own.
 */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { childEnvironment } from './child-environment.ts'
import type { ThreadOrder, ThreadReport } from './thread-messages.ts'

/** An index of the largest file, several times over: a file that needs more is made to fill the memory. */
const MAX_HEAP_MB = 256

type Run = (input: never) => Promise<unknown>

export interface ThreadWork<Input> extends ThreadOrder<Input> {
  /** Of the work, and of the start of a thread where none is idle. */
  readonly timeoutMs: number
}

export type ThreadOutcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** It took more time, or more memory, than it may. */
  | { readonly kind: 'too_much'; readonly cause: Error }

let idle: Worker | undefined

/** Has a thread do some work: `runInThread<typeof run>` with the `run` of its module. Throws what the work throws. */
export async function runInThread<Work extends Run>(
  work: ThreadWork<Parameters<Work>[0]>,
): Promise<ThreadOutcome<Awaited<ReturnType<Work>>>> {
  const worker = idle ?? start()
  idle = undefined
  let report: ThreadReport<Awaited<ReturnType<Work>>>
  try {
    report = await ask(worker, work)
  } catch (cause) {
    await worker.terminate()
    if (isTooMuch(cause)) return { kind: 'too_much', cause }
    throw cause
  }
  await putAside(worker)
  if (report.kind === 'failed') throw report.error
  return report
}

/** A thread does not take over how its process reads TypeScript (Node 20, tsx 4.23), so it begins with that. */
const THREAD_START = `
  const { tsx, main } = require('node:worker_threads').workerData
  import(tsx).then(({ register }) => (register(), import(main)))
`

function start(): Worker {
  const worker = new Worker(THREAD_START, {
    eval: true,
    workerData: {
      tsx: import.meta.resolve('tsx/esm/api'),
      main: import.meta.resolve('./working-thread.ts'),
    },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    // None of our secrets, neither for what is decoded there nor for the process with which tsx translates for a thread.
    env: childEnvironment(),
  })
  worker.on('error', () => {
    // Whoever waits for its report hears of it by `once`; when nobody does, it must not end the process.
  })
  worker.once('exit', () => {
    if (idle === worker) idle = undefined
  })
  return worker
}

/** One is kept, since starting it costs far more than a small file; it does not keep the process alive. */
async function putAside(worker: Worker): Promise<void> {
  if (idle !== undefined) {
    await worker.terminate()
    return
  }
  worker.unref()
  idle = worker
}

/** An error of the thread itself is thrown by `once`, as is the end of the time. */
async function ask<Input, Answer>(
  worker: Worker,
  { module, input, timeoutMs }: ThreadWork<Input>,
): Promise<ThreadReport<Answer>> {
  worker.ref()
  const reported = once(worker, 'message', { signal: AbortSignal.timeout(timeoutMs) })
  worker.postMessage({ module, input } satisfies ThreadOrder)
  const [report] = await reported
  return report
}

function isTooMuch(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY' || error.code === 'ABORT_ERR'
}
