import { parseTaskId, type TaskId } from '../../canonical/ids.ts'
import type { AskedReference, ReferenceRole } from '../../canonical/reference.ts'
import { Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { urlReference } from '../url-reference.ts'
import { refuseFields } from './refuse-fields.ts'
import {
  editBody,
  extensionBody,
  generationBody,
  REFUSED_OF_EDITS,
  REFUSED_OF_EXTENSIONS,
  REFUSED_OF_GENERATIONS,
  type XaiFile,
} from './schema.ts'
import { refuseUnreadKeys } from './unread-keys.ts'

export function parseGeneration(request: WireRequest): CreateInput {
  refuseUnread(request, generationBody, REFUSED_OF_GENERATIONS)
  const body = readInput(generationBody, request.body)
  const { prompt, duration, aspect_ratio, resolution, image, last_frame, reference_images = [] } = body
  return {
    ...everyInput(request, body),
    prompt,
    params: sentParams({ duration, aspect_ratio, resolution }),
    references: [
      ...(image === undefined ? [] : [referenceAt('image', 'firstFrame', image)]),
      ...(last_frame === undefined ? [] : [referenceAt('last_frame', 'lastFrame', last_frame)]),
      ...reference_images.map((file, index) => referenceAt(`reference_images.${index}`, 'reference', file)),
    ],
  }
}

export function parseEdit(request: WireRequest): CreateInput {
  refuseUnread(request, editBody, REFUSED_OF_EDITS)
  const body = readInput(editBody, request.body)
  const references = [referenceAt('video', 'source', body.video)]
  return { ...everyInput(request, body), operation: 'edit', prompt: body.prompt, params: {}, references }
}

export function parseExtension(request: WireRequest): CreateInput {
  refuseUnread(request, extensionBody, REFUSED_OF_EXTENSIONS)
  const body = readInput(extensionBody, request.body)
  return {
    ...everyInput(request, body),
    operation: 'extend',
    prompt: body.prompt,
    params: sentParams({ duration: body.duration }),
    references: [referenceAt('video', 'source', body.video)],
  }
}

/** Refuses what would change the video and is not read: fields of other routes, and names of other APIs. */
function refuseUnread(
  { body }: WireRequest,
  schema: { readonly shape: Readonly<Record<string, unknown>> },
  refused: Readonly<Record<string, string>>,
): void {
  refuseFields(body, refused)
  refuseUnreadKeys(body, [...Object.keys(schema.shape), ...Object.keys(refused)])
}

/** What is read alike from every body. */
function everyInput(
  request: WireRequest,
  { model, output }: { model: string; output?: { upload_url?: string | undefined } | undefined },
): Omit<CreateInput, 'prompt' | 'params'> {
  return {
    model,
    paramsPath: '',
    clientRequestId: undefined,
    // Not documented by the vendor; without it, a client that repeats a lost request would pay twice.
    idempotencyKey: readIdempotencyKey(request),
    uploadUrl: output?.upload_url,
    urlFields: { upload: 'output.upload_url' },
  }
}

function referenceAt(field: string, role: ReferenceRole, file: XaiFile): AskedReference {
  if (file.url !== undefined) return urlReference(role, `${field}.url`, file.url)
  return { role, field: `${field}.file_id`, origin: { kind: 'file', id: file.file_id } }
}

export function parseRequestId(request: WireRequest): { id: TaskId } {
  const id = parseTaskId(request.params['request_id'] ?? '')
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return { id }
}
