/** The words for where a task stands; `tasks/states.ts` says how it may go from one to the next. */
export const TASK_STATES = [
  /** Accepted, its credits held; waits for a free slot. */
  'queued',
  /** A worker is handing it to a provider. */
  'submitting',
  /** The provider works on it. */
  'running',
  /** The provider is done; the video is being fetched, checked and stored. */
  'collecting',
  'succeeded',
  'failed',
  'canceled',
  /** It ran out of time: in the queue, or at the provider. */
  'expired',
] as const
export type TaskState = (typeof TASK_STATES)[number]

export const TERMINAL_STATES = ['succeeded', 'failed', 'canceled', 'expired'] as const satisfies readonly TaskState[]
export type TerminalState = (typeof TERMINAL_STATES)[number]

export function isTerminal(state: TaskState): state is TerminalState {
  return (TERMINAL_STATES as readonly TaskState[]).includes(state)
}
