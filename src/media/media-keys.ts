import { type TaskId, uuidOf } from '../canonical/ids.ts'
import { ENDINGS } from './media-types.ts'

/**
 * Where the files of a task lie in the store: `<2 hex>/<task uuid>/<name>`. The two digits are random ones of the UUID,
 * so that a disk gets 256 folders of equal size and not one of millions.
 */
export function mediaKey(taskId: TaskId, fileName: string): string {
  const uuid = uuidOf(taskId)
  return `${uuid.slice(-12, -10)}/${uuid}/${fileName}`
}

/** Every key under which ingesting a task may have left a file. */
export function mediaKeysOf(taskId: TaskId): string[] {
  const videos = [ENDINGS['video/mp4'], ENDINGS['video/quicktime'], ENDINGS['video/webm']]
  const names = [...videos.map((ending) => `video.${ending}`), 'poster.jpg', 'spritesheet.jpg', 'manifest.json']
  return names.map((name) => mediaKey(taskId, name))
}
