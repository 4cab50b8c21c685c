/** How long some work may take, and what else ends it. */
export interface TimeLimit {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Does some work under a signal that is aborted by `signal` and after the time. Not by `AbortSignal.any`, which in Node 20
 * stays with a signal that lives as long as the process: thousands of polls a second would fill the memory.
 */
export async function withinTime<T>(
  { timeoutMs, signal }: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController()
  const stop = () => end.abort(signal.reason)
  const timer = setTimeout(
    () => end.abort(new DOMException(`not done within ${timeoutMs} ms`, 'TimeoutError')),
    timeoutMs,
  )
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await work(end.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
