import { createHash } from 'node:crypto'
import { idOf, type MediaId, type TaskId, uuidOf } from '../canonical/ids.ts'
import type { MediaKind } from '../canonical/task.ts'

/**
 * The id of a task's file: a UUIDv8 (RFC 9562, 5.8) hashed from the task and the kind, so that ingesting a task a second
 * time names the same media. It is not guessable less than the task's id; the link's signature is what protects a file.
 */
export function mediaId(taskId: TaskId, kind: MediaKind): MediaId {
  const hash = createHash('sha256')
    .update(`reelay media ${uuidOf(taskId)} ${kind}`)
    .digest()
  hash[6] = (hash.readUInt8(6) & 0x0f) | 0x80
  hash[8] = (hash.readUInt8(8) & 0x3f) | 0x80
  return idOf('med', hash.toString('hex', 0, 16))
}
