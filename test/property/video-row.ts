import { newId, type TaskId, uuidOf } from '../../src/canonical/ids.ts'
import type { MediaRecord } from '../../src/media/ingest.ts'

/** The row of a video that was never made: enough for the settlement of a task that succeeds. */
export function videoOf(task: TaskId): MediaRecord {
  return {
    id: uuidOf(newId('med')),
    kind: 'video',
    store_key: `test/${task}.mp4`,
    mime_type: 'video/mp4',
    size_bytes: 1,
    sha256: '00'.repeat(32),
    width: null,
    height: null,
    duration_seconds: null,
    keep_seconds: 60,
  }
}
