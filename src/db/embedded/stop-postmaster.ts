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
  const file = await readPostmasterFile(cluster)
  if (file === undefined) return
  const stages: [NodeJS.Signals, number][] = [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ]
  for (const [signal, patienceMs] of stages) {
    if (!(await isRunning(file.pid))) return
    process.kill(file.pid, signal)
    const deadline = Date.now() + patienceMs
    while ((await isRunning(file.pid)) && Date.now() < deadline) await delay(POLL_MS)
  }
}
