/**
 * Named points between the steps of a task at which a test can kill the process, to prove that whatever has been written
 * by then is enough to go on from. In production no hook is set and a point costs one comparison.
 */
export const FAULT_POINTS = [
  /** A create has been validated; nothing is written. */
  'submit.before',
  /** Key, hold and task are committed; the customer has no answer yet. */
  'submit.committed',
  /** The task is leased to a worker; no attempt exists. */
  'admit.committed',
  /** The attempt is committed; the provider has not been called. */
  'start.recorded',
  /** The provider accepted; its operation is not saved. */
  'start.accepted',
  /** The operation is saved. */
  'start.saved',
  /** The provider said that it is done; nothing is written. */
  'poll.succeeded',
  /** The task is collecting; no byte is stored. */
  'collect.marked',
  /** The download of a video broke; a part of it is on this disk. */
  'collect.resuming',
  /** The files are in the store; the task does not say so. */
  'collect.stored',
  /** The terminal state, the settlement and the media rows are committed. */
  'settle.committed',
  /** The provider's own copy has been discarded. */
  'settle.discarded',
  /** A receiver has answered; nothing is written. */
  'deliver.sent',
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]

type FaultHook = (point: FaultPoint) => void | Promise<void>

let hook: FaultHook | undefined

/** Sets what happens at every point; for tests, and for `REELAY_FAULT` in a server under test. */
export function setFaultHook(next: FaultHook | undefined): void {
  hook = next
}

export function faultPoint(point: FaultPoint): void | Promise<void> {
  return hook?.(point)
}
