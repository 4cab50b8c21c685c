import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import type { TaskUpdate } from '../dialects/dialect.ts'
import type { TaskWatchers } from '../tasks/watch.ts'

/** Proxies commonly give up on a silent connection after 30 to 60 s. */
const HEARTBEAT_MS = 15_000

/** A restart of the server takes about this long. */
const STOPPING_RETRY_SECONDS = 5

export interface Following {
  /** As it was last seen. */
  readonly task: Task
  readonly watchers: Pick<TaskWatchers, 'watch'>
  /** Reads the task anew. */
  readonly read: () => Promise<Task>
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal
  readonly heartbeatMs?: number
}

/**
 * A task at each change until it has ended. Heartbeats come at a steady pace, whether or not it changes meanwhile: what
 * a listener sends at changes is its own affair, but no proxy shall see a silence that is longer than one beat.
 */
export async function* followTask(following: Following): AsyncGenerator<TaskUpdate> {
  const { watchers, read, signal, heartbeatMs = HEARTBEAT_MS } = following
  let { task } = following
  if (isTerminal(task.state)) return
  using watch = watchers.watch(task)
  // Also when this is never resumed: whoever read it may be gone.
  signal.addEventListener('abort', () => watch[Symbol.dispose](), { once: true })
  let nextBeatMs = performance.now() + heartbeatMs
  while (!isTerminal(task.state)) {
    const news = await watch.next(Math.max(0, nextBeatMs - performance.now()), signal)
    if (signal.aborted) {
      throw new Refusal('unavailable', 'The server is stopping. The generation goes on: read it in a moment.', {
        retryAfterSeconds: STOPPING_RETRY_SECONDS,
      })
    }
    if (news === 'changed') {
      task = await read()
      yield { kind: 'changed', task }
    } else {
      nextBeatMs += heartbeatMs
      yield { kind: 'heartbeat', task }
    }
  }
}
