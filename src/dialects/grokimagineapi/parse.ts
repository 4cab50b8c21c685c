import { parseTaskId, type TaskId } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { generateBody, statusQuery } from './schema.ts'

/** The dialect names no model; this is the only one that its catalog has. */
const MODEL = 'grok-imagine-video'

export function parseGenerate(request: WireRequest): CreateInput {
  const { prompt, images = [], mode, ratio } = readInput(generateBody, request.body)
  if (images.length > 0) {
    const detail = { field: 'images', value: images, allowed: 'no images' }
    throw new Refusal('invalid_field', 'images cannot be used: reference images are not offered by this server yet.', {
      detail,
    })
  }
  return {
    model: MODEL,
    prompt,
    params: sentParams({ mode, ratio }),
    paramsPath: '',
    clientRequestId: undefined,
    idempotencyKey: readIdempotencyKey(request),
  }
}

export function parseStatus(request: WireRequest): { id: TaskId } {
  const id = parseTaskId(readInput(statusQuery, request.query).task_id)
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}
