/**
 * Waiting for tasks to change: long polls and requests that stay open. However many wait in this process, one statement
 * every so often asks for all of their tasks.
 */
import type { TaskId } from '../canonical/ids.ts'
import type { Task } from '../canonical/task.ts'
import type { Queryable } from '../db/database.ts'
import { selectMarks } from './queries.ts'

/** How late a change may be noticed; a video takes seconds to minutes. */
const LOOK_EVERY_MS = 200

interface Watcher {
  mark: string | undefined
  /** A change came while nobody waited for it. */
  pending: boolean
  changed: (() => void) | undefined
}

/** One who waits. Dispose of it when done. */
export interface Watch extends Disposable {
  /** Resolves at the next change of state or progress, or after `timeoutMs` without one, or when `signal` aborts. */
  next(timeoutMs: number, signal: AbortSignal): Promise<'changed' | 'quiet'>
}

export class TaskWatchers {
  readonly #db: Queryable
  readonly #onError: (error: unknown) => void
  readonly #watchers = new Map<TaskId, Set<Watcher>>()
  #looking = false

  constructor(db: Queryable, onError: (error: unknown) => void) {
    this.#db = db
    this.#onError = onError
  }

  /** Watches a task for changes from what the caller last saw. */
  watch({ id, state, progress }: Pick<Task, 'id' | 'state' | 'progress'>): Watch {
    const watcher: Watcher = { mark: `${state} ${progress}`, pending: false, changed: undefined }
    const others = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, others.add(watcher))
    void this.#look()
    return {
      next: (timeoutMs, signal) => nextChange(watcher, timeoutMs, signal),
      [Symbol.dispose]: () => {
        others.delete(watcher)
        if (others.size === 0 && this.#watchers.get(id) === others) this.#watchers.delete(id)
      },
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    while (this.#watchers.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
      // Nobody is left who wants to know, and at the end of the process nobody who could be asked.
      if (this.#watchers.size === 0) break
      try {
        const marks = await selectMarks(this.#db, [...this.#watchers.keys()])
        for (const [id, watchers] of this.#watchers) for (const each of watchers) notice(each, marks.get(id))
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#looking = false
  }
}

function notice(watcher: Watcher, mark: string | undefined): void {
  if (watcher.mark === mark) return
  watcher.mark = mark
  if (watcher.changed === undefined) watcher.pending = true
  else watcher.changed()
}

function nextChange(watcher: Watcher, timeoutMs: number, signal: AbortSignal): Promise<'changed' | 'quiet'> {
  return new Promise((resolve) => {
    const stop = () => answer('quiet')
    const answer = (what: 'changed' | 'quiet') => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      watcher.changed = undefined
      watcher.pending = false
      resolve(what)
    }
    const timer = setTimeout(stop, timeoutMs)
    signal.addEventListener('abort', stop)
    if (watcher.pending) answer('changed')
    else if (signal.aborted) answer('quiet')
    else watcher.changed = () => answer('changed')
  })
}
