import { setTimeout as delay } from 'node:timers/promises'
import { isRunning, readPostmasterFile } from './postmaster-file.ts'

/** A fast shutdown ends sessions and writes what is in memory (128 MB at most) to disk, which may be slow. */
const FAST_SHUTDOWN_MS = 60_000

/** An immediate shutdown writes nothing. */
const IMMEDIATE_SHUTDOWN_MS = 5_000

const POLL_MS = 10

/**
 * Stops the postmaster of a cluster and waits until its process is gone. If it will not go, it is told to go at once,
 * which loses nothing: the next start recovers from the log.
 */
export async function stopPostmaster(cluster: string): Promise<void> {
  const pid = (await readPostmasterFile(cluster))?.pid
  if (pid === undefined) return
  const stages: [NodeJS.Signals, number][] = [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ]
  for (const [signal, patienceMs] of stages) {
    if (!(await isRunning(pid))) return
    sendSignal(pid, signal)
    const deadline = Date.now() + patienceMs
    while ((await isRunning(pid)) && Date.now() < deadline) await delay(POLL_MS)
  }
}

/** It may have gone since it was looked at. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
