import { parseTaskId as readTaskId, type TaskId } from '../../canonical/ids.ts'
import { invalidField, Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, ListInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { refuseNotOffered } from '../not-offered.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { contentQuery, createBody, listQuery, NOT_OFFERED, type Variant } from './schema.ts'

export function parseCreate(request: WireRequest): CreateInput {
  refuseNotOffered(request.body, NOT_OFFERED)
  const { model, prompt, seconds, size } = readInput(createBody, request.body)
  return {
    model,
    prompt,
    params: sentParams({ seconds, size }),
    paramsPath: '',
    clientRequestId: undefined,
    idempotencyKey: readIdempotencyKey(request),
  }
}

export function parseVideoId(request: WireRequest): { id: TaskId } {
  const id = readTaskId(request.params['id'] ?? '')
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}

/** Reads the variant as well, so that an unknown one is refused whatever the state of the video. */
export function parseContent(request: WireRequest): { id: TaskId } {
  variantOf(request)
  return parseVideoId(request)
}

/** Which of a video's files is asked for. */
export function variantOf(request: WireRequest): Variant {
  return readInput(contentQuery, request.query).variant
}

export function parseList(request: WireRequest): ListInput {
  const { limit, order, after } = readInput(listQuery, request.query)
  return {
    limit,
    order: order === 'desc' ? 'newest first' : 'oldest first',
    after: after === undefined ? undefined : parseCursor(after),
    states: undefined,
  }
}

function parseCursor(cursor: string): TaskId {
  const id = readTaskId(cursor)
  if (id === undefined) throw invalidField({ field: 'after', value: cursor, allowed: 'the id of a video' })
  return id
}
