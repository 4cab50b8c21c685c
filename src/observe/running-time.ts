/** How often the time that has passed is counted. */
const TICK_MS = 1_000

/** A tick that comes later than this found the process stopped: suspended, or frozen with SIGSTOP. */
const STALL_MS = 2_000

/** After a stall: what lies in the kernel's buffers is read before the time is called over. */
const READ_AFTER_STALL_MS = 250

/**
 * Calls `act` once this process has run for `runMs`, and returns a function that calls it off. Time in which the process was
 * stopped counts as one tick: after it, timers fire before sockets are read, and an answer that has long arrived would be
 * taken for none.
 */
export function afterRunning(runMs: number, act: () => void): () => void {
  let leftMs = runMs
  let timer = next()
  return () => clearTimeout(timer)

  function next(): NodeJS.Timeout {
    const [began, sleepMs] = [performance.now(), Math.min(leftMs, TICK_MS)]
    return setTimeout(() => {
      const isStalled = performance.now() - began > sleepMs + STALL_MS
      leftMs -= sleepMs
      if (leftMs > 0) timer = next()
      else if (isStalled) timer = setTimeout(() => setImmediate(act), READ_AFTER_STALL_MS)
      else act()
    }, sleepMs)
  }
}
