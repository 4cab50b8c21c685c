import { once } from 'node:events'
import { Readable } from 'node:stream'

/**
 * Gives what an iterable gives until a signal is aborted, and then throws the signal's reason, even while the iterable is
 * silent. A stream is destroyed when its reader stops early.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const finished = new AbortController()
  const aborted = once(signal, 'abort', { signal: finished.signal }).then(
    () => 'aborted' as const,
    // The listener was taken away because the source has ended.
    () => 'aborted' as const,
  )
  let isOver = false
  try {
    for (;;) {
      signal.throwIfAborted()
      const next = await Promise.race([iterator.next(), aborted])
      if (next === 'aborted') throw signal.reason
      if (next.done === true) {
        isOver = true
        return
      }
      yield next.value
    }
  } finally {
    finished.abort()
    if (!isOver) leave(source, iterator)
  }
}

/** Not awaited: an iterator that is silent answers nothing before it is no longer silent. */
function leave<T>(source: AsyncIterable<T>, iterator: AsyncIterator<T>): void {
  if (source instanceof Readable) source.destroy()
  iterator.return?.()?.catch(() => {
    // Whoever stopped reading has said why.
  })
}
