import { Refusal } from '../canonical/refusal.ts'
import type { Task } from '../canonical/task.ts'
import { isTerminal } from '../canonical/task-state.ts'
import type { TaskUpdate } from '../dialects/dialect.ts'
import type { TaskWatchers } from '../tasks/watch.ts'

/** Proxies commonly give up on a silent connection after 30 to 60 s. */
const HEARTBEAT_MS = 15_000

/** A restart of the server takes about this long. */
const STOPPING_RETRY_SECONDS = 5

/** After a read that failed. A database that restarts is back within a second or two. */
const READ_AGAIN_MS = 1_000

/** In a row, so about half a minute: a failover takes as long. Whoever follows is then better told to come back. */
const MAX_FAILED_READS = 30

/** A database that stayed away so long will not be back at once. */
const AWAY_RETRY_SECONDS = 15

export interface Following {
  /** As it was last seen. */
  readonly task: Task
  readonly watchers: Pick<TaskWatchers, 'watch'>
  /** Reads the task anew. */
  readonly read: () => Promise<Task>
  /** Told of each fault of `read`: it does not reach the listener. */
  readonly onUnread: (error: unknown) => void
  /** Aborts when nobody listens any more. */
  readonly signal: AbortSignal
  readonly heartbeatMs?: number
}

/**
 * A task at each change until it has ended. Heartbeats come at a steady pace, whether or not it changes meanwhile: what
 * a listener sends at changes is its own affair, but no proxy shall see a silence that is longer than one beat.
 *
 * A read that fails is made again, and changes nothing else: the task goes on, and a listener that was cut off would only
 * create, and pay for, another one. Throws a refusal when nobody listens, the task is gone, or it cannot be read for long.
 */
export async function* followTask(following: Following): AsyncGenerator<TaskUpdate> {
  const { watchers, read, onUnread, signal, heartbeatMs = HEARTBEAT_MS } = following
  let { task } = following
  if (isTerminal(task.state)) return
  using watch = watchers.watch(task)
  // Also when this is never resumed: whoever read it may be gone.
  signal.addEventListener('abort', () => watch[Symbol.dispose](), { once: true })
  let nextBeatMs = performance.now() + heartbeatMs
  let failedReads = 0
  while (!isTerminal(task.state)) {
    const untilBeatMs = Math.max(0, nextBeatMs - performance.now())
    const timeoutMs = failedReads === 0 ? untilBeatMs : Math.min(untilBeatMs, READ_AGAIN_MS)
    const news = await watch.next(timeoutMs, signal)
    if (signal.aborted) {
      throw new Refusal('unavailable', 'The server is stopping. The generation goes on: read it in a moment.', {
        retryAfterSeconds: STOPPING_RETRY_SECONDS,
      })
    }
    // A change is told once: one that could not be read is read again without being told of it.
    if (news === 'changed' || failedReads > 0) {
      const outcome = await attempt(read)
      if (outcome.kind === 'read') {
        task = outcome.task
        failedReads = 0
        yield { kind: 'changed', task }
        continue
      }
      onUnread(outcome.error)
      failedReads += 1
      if (failedReads >= MAX_FAILED_READS) throw lostSight(outcome.error)
    }
    if (news === 'quiet' && timeoutMs === untilBeatMs) {
      nextBeatMs += heartbeatMs
      yield { kind: 'heartbeat', task }
    }
  }
}

type ReadOutcome = { readonly kind: 'read'; readonly task: Task } | { readonly kind: 'failed'; readonly error: unknown }

/** A refusal is an answer, and thrown; a fault is one of the outcomes, and so is a refusal that will pass. */
async function attempt(read: () => Promise<Task>): Promise<ReadOutcome> {
  try {
    return { kind: 'read', task: await read() }
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'unavailable') throw error
    return { kind: 'failed', error }
  }
}

function lostSight(cause: unknown): Refusal {
  return new Refusal('unavailable', 'The generation cannot be read now. It goes on: read it in a moment.', {
    cause,
    retryAfterSeconds: AWAY_RETRY_SECONDS,
  })
}
