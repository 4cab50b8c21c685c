import { type TaskId, uuidOf } from '../canonical/ids.ts'

/**
 * The folder of a task in the store: `<2 hex>/<task uuid>`. The two digits are random ones of the UUID, so that a disk
 * gets 256 folders of equal size and not one of millions.
 */
export function taskFolder(taskId: TaskId): string {
  const uuid = uuidOf(taskId)
  return `${uuid.slice(-12, -10)}/${uuid}`
}

/** The folder of what one lease of a task stored. A worker that lost its lease never writes into the one that won. */
export function leaseFolder(taskId: TaskId, fence: bigint): string {
  return `${taskFolder(taskId)}/${fence}`
}
