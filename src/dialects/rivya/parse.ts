import { type FileId, parseId, parseTaskId as readTaskId, type TaskId } from '../../canonical/ids.ts'
import type { AskedReference } from '../../canonical/reference.ts'
import { invalidField, Refusal } from '../../canonical/refusal.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import type { CreateInput, FileListInput, ListInput, UploadInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import {
  createBody,
  FILE_PART,
  fileListQuery,
  listQuery,
  type ReferenceMediaItem,
  type RivyaStatus,
  uploadBody,
} from './schema.ts'
import { UPLOAD_KINDS } from './upload-kinds.ts'

export function parseCreate(request: WireRequest): CreateInput {
  const body = readInput(createBody, request.body)
  const { referenceMediaItems = [], ...params } = body.params ?? {}
  return {
    model: body.model,
    prompt: body.prompt,
    references: referenceMediaItems.map(referenceOf),
    params,
    paramsPath: 'params.',
    clientRequestId: body.client_request_id,
    idempotencyKey: readIdempotencyKey(request),
  }
}

/**
 * Whatever its kind, it is what the video starts with: the vendor gives an item no role, and which kinds a model takes
 * there its policy says.
 */
function referenceOf(item: ReferenceMediaItem, index: number): AskedReference {
  const { url, kind, durationSeconds, durationToken } = item
  return {
    role: 'firstFrame',
    field: `params.referenceMediaItems.${index}.url`,
    origin: { kind: 'url', url },
    declared: {
      kind,
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
      ...(durationToken === undefined ? {} : { durationToken }),
      needsDurationToken: true,
    },
  }
}

export function parseUpload(request: WireRequest): UploadInput {
  const { kind, model } = readInput(uploadBody, request.body)
  return { part: FILE_PART, kind, model, kinds: UPLOAD_KINDS }
}

export function parseFileId(request: WireRequest): { id: FileId } {
  const id = parseId('file', request.params['id'] ?? '')
  if (id === undefined) throw new Refusal('file_not_found', 'There is no such file.')
  return { id }
}

export function parseFileList(request: WireRequest): FileListInput {
  const { limit, cursor } = readInput(fileListQuery, request.query)
  const after = cursor === undefined ? undefined : parseId('file', cursor)
  if (cursor !== undefined && after === undefined) throw badCursor(cursor)
  return { limit, after }
}

export function parseTaskId(request: WireRequest): { id: TaskId } {
  const id = readTaskId(request.params['id'] ?? '')
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}

const STATES_OF: Readonly<Record<RivyaStatus, readonly TaskState[]>> = {
  queued: ['queued'],
  processing: ['submitting', 'running', 'collecting'],
  succeeded: ['succeeded'],
  failed: ['failed', 'expired'],
  canceled: ['canceled'],
}

export function parseList(request: WireRequest): ListInput {
  const { limit, cursor, status } = readInput(listQuery, request.query)
  return {
    limit,
    order: 'newest first',
    after: cursor === undefined ? undefined : parseCursor(cursor),
    states: status === undefined ? undefined : STATES_OF[status],
  }
}

function parseCursor(cursor: string): TaskId {
  const id = readTaskId(cursor)
  if (id === undefined) throw badCursor(cursor)
  return id
}

function badCursor(cursor: string): Refusal {
  return invalidField({ field: 'cursor', value: cursor, allowed: 'a next_cursor of this list' })
}
