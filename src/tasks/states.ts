/**
 * The life of a task. Every change of state in the code names its target here and is a compare-and-set in the database:
 * `where state = any(statesBefore(target)) and fence = …`. A terminal state is final; the database refuses to leave it.
 *
 *        ◀─other provider─
 *   queued ──admit──▶ submitting ──accepted──▶ running ──provider done──▶ collecting ──stored──▶ succeeded
 *     │                   │                       │                           │
 *     └── canceled, expired, failed ◀─────────────┴───────────────────────────┘
 */
import type { TaskState } from '../canonical/task-state.ts'

export const TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  // Failed: an operator gives it up after a restore.
  queued: ['submitting', 'failed', 'canceled', 'expired'],
  // Back to the queue, of another provider, when the one that was asked surely began nothing.
  submitting: ['queued', 'running', 'failed', 'canceled', 'expired'],
  running: ['collecting', 'failed', 'canceled', 'expired'],
  // The video exists and is about to be delivered and charged: too late to cancel.
  collecting: ['succeeded', 'failed', 'expired'],
  succeeded: [],
  failed: [],
  canceled: [],
  expired: [],
}

/** The states from which `target` can be reached. */
export function statesBefore(target: TaskState): TaskState[] {
  return (Object.keys(TRANSITIONS) as TaskState[]).filter((state) => TRANSITIONS[state].includes(target))
}
