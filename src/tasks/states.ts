/**
 * The life of a task. Every change of state in the code names its target here and is a compare-and-set in the database:
 * `where state = any(statesBefore(target)) and fence = …`. A terminal state is final; the database refuses to leave it.
 *
 *        ◀─────────── another provider, or the job was lost ───────────
 *   queued ──admit──▶ submitting ──accepted──▶ running ──provider done──▶ collecting ──stored──▶ succeeded
 *     │                   │                       │                           │
 *     └── canceled, expired, failed ◀─────────────┴───────────────────────────┘
 */
import type { TaskState } from '../canonical/task-state.ts'

export const TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  // Failed: an operator gives it up after a restore.
  queued: ['submitting', 'failed', 'canceled', 'expired'],
  // Back to a queue when no job runs: the provider began none, lost it, or finished without a video that can be taken.
  submitting: ['queued', 'running', 'failed', 'canceled', 'expired'],
  running: ['queued', 'collecting', 'failed', 'canceled', 'expired'],
  // The video exists and is about to be delivered and charged: canceled only while it cannot be had.
  collecting: ['queued', 'succeeded', 'failed', 'canceled', 'expired'],
  succeeded: [],
  failed: [],
  canceled: [],
  expired: [],
}

/** The states from which `target` can be reached. */
export function statesBefore(target: TaskState): TaskState[] {
  return (Object.keys(TRANSITIONS) as TaskState[]).filter((state) => TRANSITIONS[state].includes(target))
}
