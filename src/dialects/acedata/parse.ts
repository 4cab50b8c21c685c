import type { z } from 'zod'
import { parseTaskId, type TaskId } from '../../canonical/ids.ts'
import type { Json } from '../../canonical/json.ts'
import type { AskedReference } from '../../canonical/reference.ts'
import { invalidField, Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { urlReference } from '../url-reference.ts'
import { type AnswerFormat, readAccept } from './accept.ts'
import { MAX_BATCH, tasksBody, videosBody } from './schema.ts'

export interface VideosRequest {
  readonly input: CreateInput
  /** `at once`: with the task's id; else when the video is there. At once wins over NDJSON lines (ours). */
  readonly answer: 'at once' | AnswerFormat
}

export function parseVideos(request: WireRequest): VideosRequest {
  const format = readAccept(request.headers['accept'])
  const body = readInput(videosBody, request.body)
  const { model, prompt, aspect_ratio, resolution, duration, callback_url: callbackUrl } = body
  const input: CreateInput = {
    model,
    prompt,
    params: sentParams({ aspect_ratio, resolution, duration }),
    paramsPath: '',
    clientRequestId: undefined,
    idempotencyKey: readIdempotencyKey(request),
    callbackUrl,
    references: readReferences(body),
  }
  return { input, answer: body.async === true || callbackUrl !== undefined ? 'at once' : format }
}

function readReferences({ image_url, reference_image_urls = [] }: z.infer<typeof videosBody>): AskedReference[] {
  return [
    ...(image_url === undefined ? [] : [urlReference('firstFrame', 'image_url', image_url)]),
    ...reference_image_urls.map((url, index) => urlReference('reference', `reference_image_urls.${index}`, url)),
  ]
}

function missing(field: string, message: string): Refusal {
  return new Refusal('invalid_field', message, { detail: { field, allowed: 'a text' } })
}

export type TasksRequest =
  | { readonly action: 'retrieve'; readonly id: TaskId }
  | { readonly action: 'retrieve_batch'; readonly ids: readonly TaskId[] }

export function parseTasks(request: WireRequest): TasksRequest {
  const { action, id, ids } = readInput(tasksBody, request.body)
  switch (action) {
    case 'retrieve':
      if (ids !== undefined) throw unwanted('ids', ids, 'id with retrieve, ids with retrieve_batch')
      if (id === undefined) throw missing('id', 'id is required for retrieve.')
      return { action, id: existingId(id) }
    case 'retrieve_batch':
      if (id !== undefined) throw unwanted('id', id, 'id with retrieve, ids with retrieve_batch')
      if (ids === undefined) throw missing('ids', 'ids is required for retrieve_batch.')
      if (ids.length === 0 || ids.length > MAX_BATCH) {
        const allowed = `1 to ${MAX_BATCH} ids`
        const message = `ids has ${ids.length} ids; allowed: ${allowed}.`
        throw new Refusal('invalid_field', message, { detail: { field: 'ids', value: ids, allowed } })
      }
      // What is not of an id's form names no task, like an id that was never given.
      return { action, ids: ids.map(parseTaskId).filter((each) => each !== undefined) }
  }
}

function unwanted(field: string, value: Json, allowed: string): Refusal {
  return invalidField({ field, value, allowed })
}

function existingId(text: string): TaskId {
  const id = parseTaskId(text)
  if (id === undefined) throw new Refusal('task_not_found', 'There is no such generation.')
  return id
}
