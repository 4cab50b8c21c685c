import { parseTaskId as readTaskId, type TaskId } from '../../canonical/ids.ts'
import { invalidField, Refusal } from '../../canonical/refusal.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import type { CreateInput, ListInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { createBody, listQuery, type RivyaStatus } from './schema.ts'

export function parseCreate(request: WireRequest): CreateInput {
  const body = readInput(createBody, request.body)
  return {
    model: body.model,
    prompt: body.prompt,
    params: body.params ?? {},
    paramsPath: 'params.',
    clientRequestId: body.client_request_id,
    idempotencyKey: readIdempotencyKey(request),
  }
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
  if (id === undefined) throw invalidField({ field: 'cursor', value: cursor, allowed: 'a next_cursor of this list' })
  return id
}
