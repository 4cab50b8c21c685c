import { parseTaskId, type TaskId } from '../../canonical/ids.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { refuseNotOffered } from '../not-offered.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { generationBody, MODEL_ALIASES, NOT_OFFERED } from './schema.ts'

export function parseGeneration(request: WireRequest): CreateInput {
  refuseNotOffered(request.body, NOT_OFFERED)
  const { model, prompt, duration, aspect_ratio, resolution, output } = readInput(generationBody, request.body)
  return {
    model: MODEL_ALIASES.get(model) ?? model,
    prompt,
    params: sentParams({ duration, aspect_ratio, resolution }),
    paramsPath: '',
    clientRequestId: undefined,
    // Not documented by the vendor; without it, a client that repeats a lost request would pay twice.
    idempotencyKey: readIdempotencyKey(request),
    uploadUrl: output?.upload_url,
    urlFields: { upload: 'output.upload_url' },
  }
}

export function parseRequestId(request: WireRequest): { id: TaskId } {
  const id = parseTaskId(request.params['request_id'] ?? '')
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}
