import { parseTaskId, type TaskId } from '../../canonical/ids.ts'
import type { AskedReference } from '../../canonical/reference.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { urlReference } from '../url-reference.ts'
import { generateBody, statusQuery } from './schema.ts'

/** The dialect names no model; this is the only one that its catalog has. */
const MODEL = 'grok-imagine-video'

export function parseGenerate(request: WireRequest): CreateInput {
  const { prompt, images, mode, ratio } = readInput(generateBody, request.body)
  return {
    model: MODEL,
    prompt,
    params: sentParams({ mode, ratio }),
    paramsPath: '',
    clientRequestId: undefined,
    idempotencyKey: readIdempotencyKey(request),
    references: readImages(images),
  }
}

/** One picture is what the video starts with; several are what is to appear in it (ours: the vendor says neither). */
function readImages(images: string | readonly string[] = []): AskedReference[] {
  if (typeof images === 'string') return [urlReference('firstFrame', 'images', images)]
  const role = images.length === 1 ? 'firstFrame' : 'reference'
  return images.map((url, index) => urlReference(role, `images.${index}`, url))
}

export function parseStatus(request: WireRequest): { id: TaskId } {
  const id = parseTaskId(readInput(statusQuery, request.query).task_id)
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}
