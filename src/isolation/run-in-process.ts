/**
 * Work on bytes from outside, in processes of their own: a decoder that crashes takes one file with it and not the
 * server; what it reads of its memory holds no secret; and its memory goes back to the system when it ends. Like
 * `run-in-thread.ts`, which is for work that only may take too long.
 *
 *   start ─► idle ─► working ─► idle, or ended where it holds too much or has been idle for long
 *                       └─► ended, by itself or after its time: `crashed` or `too_much`
 *
 * As many processes run as callers have work for at once; callers bound that by turns.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from './child-environment.ts'
import { isProcessReport, type ProcessReport, TOO_MUCH_MEMORY_EXIT_CODE } from './process-messages.ts'
import type { ThreadWork } from './run-in-thread.ts'
import type { ThreadOrder } from './thread-messages.ts'

/** Of JavaScript objects. An index of the largest file, several times over. */
const MAX_HEAP_MB = 256

/** Kept for the next piece of work: starting one costs most of a second. */
const MAX_IDLE = 2

/** An idle process holds some 100 MB; after a minute without work they are worth more than the second a start takes. */
const IDLE_EXIT_MS = 60_000

/** One that holds more than this after its work is ended: an allocator gives little back by itself. */
const MAX_IDLE_RESIDENT_BYTES = 256 * 1024 * 1024

/** What Ctrl-C and service managers send to the whole group of processes. A process ignores them once it has started. */
const STOP_SIGNALS: readonly (string | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export type ProcessOutcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** It took more time, or more memory, than it may. */
  | { readonly kind: 'too_much'; readonly cause: Error }
  /** Its process ended in the middle of it. */
  | { readonly kind: 'crashed'; readonly cause: Error }

type Run = (input: never) => Promise<unknown>

type Ending =
  | { readonly kind: 'reported'; readonly message: ProcessReport }
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'time_over' }

interface Idle {
  readonly child: ChildProcess
  readonly timer: NodeJS.Timeout
}

const idle: Idle[] = []

/** Has a process do some work: `runInProcess<typeof run>` with the `run` of its module. Throws what the work throws. */
export async function runInProcess<Work extends Run>(
  work: ThreadWork<Parameters<Work>[0]>,
): Promise<ProcessOutcome<Awaited<ReturnType<Work>>>> {
  const first = await ask(work)
  // A stop that met a process while it was starting says nothing about the work.
  const isStopped = first.kind === 'exited' && STOP_SIGNALS.includes(first.signal)
  const ending = isStopped ? await ask(work) : first
  if (ending.kind === 'time_over') {
    return { kind: 'too_much', cause: new Error(`The work took more than ${work.timeoutMs} ms.`) }
  }
  if (ending.kind === 'exited') return outcomeOfExit(ending)
  const { report } = ending.message
  if (report.kind === 'failed') throw report.error
  // The module is the one whose `run` the caller named.
  return { kind: 'answered', answer: report.answer as Awaited<ReturnType<Work>> }
}

function outcomeOfExit({ code, signal }: Extract<Ending, { kind: 'exited' }>): ProcessOutcome<never> {
  if (code === TOO_MUCH_MEMORY_EXIT_CODE) {
    return { kind: 'too_much', cause: new Error('The work took more memory than it may.') }
  }
  return { kind: 'crashed', cause: new Error(`The process of the work ended with ${signal ?? `code ${code}`}.`) }
}

/** Never leaves a process busy: one that has not reported in time is ended. */
async function ask({ module, input, timeoutMs }: ThreadWork<unknown>): Promise<Ending> {
  const child = takeIdle() ?? start()
  child.ref()
  child.channel?.ref()
  const ending = await endingOf(child, { module, input }, timeoutMs)
  if (ending.kind === 'reported' && ending.message.residentBytes <= MAX_IDLE_RESIDENT_BYTES) putAside(child)
  else child.kill('SIGKILL')
  return ending
}

function endingOf(child: ChildProcess, order: ThreadOrder, timeoutMs: number): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage).off('exit', onExit).off('error', onError)
      act()
    }
    const onMessage = (message: unknown) => {
      if (isProcessReport(message)) settle(() => resolve({ kind: 'reported', message }))
    }
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => resolve({ kind: 'exited', code, signal }))
    const onError = (cause: Error) =>
      settle(() => reject(new Error('The process of the work is not there.', { cause })))
    const timer = setTimeout(() => settle(() => resolve({ kind: 'time_over' })), timeoutMs)
    child.on('message', onMessage).once('exit', onExit).once('error', onError)
    child.send(order, (error) => {
      // It has ended; how, `exit` says.
      if (error !== null && child.exitCode === null && child.signalCode === null) onError(error)
    })
  })
}

function start(): ChildProcess {
  const child = fork(fileURLToPath(new URL('./working-process.ts', import.meta.url)), {
    execArgv: [...['--import', import.meta.resolve('tsx')], `--max-old-space-size=${MAX_HEAP_MB}`],
    env: childEnvironment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  })
  child.on('error', () => {
    // Who waits for its report is told by a listener of its own; without one, it must not end the server.
  })
  child.once('exit', () => forget(child))
  return child
}

function takeIdle(): ChildProcess | undefined {
  const warm = idle.pop()
  clearTimeout(warm?.timer)
  return warm?.child
}

/** It does not keep the server alive, and is not kept for long. */
function putAside(child: ChildProcess): void {
  if (idle.length >= MAX_IDLE || !child.connected) {
    child.kill('SIGKILL')
    return
  }
  child.unref()
  child.channel?.unref()
  const timer = setTimeout(() => {
    forget(child)
    child.kill('SIGKILL')
  }, IDLE_EXIT_MS).unref()
  idle.push({ child, timer })
}

function forget(child: ChildProcess): void {
  const place = idle.findIndex((each) => each.child === child)
  if (place === -1) return
  clearTimeout(idle[place]?.timer)
  idle.splice(place, 1)
}
