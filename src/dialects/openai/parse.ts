import type { z } from 'zod'
import { parseTaskId as readTaskId, type TaskId } from '../../canonical/ids.ts'
import type { AskedReference, ReferenceRole } from '../../canonical/reference.ts'
import { invalidField, Refusal } from '../../canonical/refusal.ts'
import type { CreateInput, ListInput, WireRequest } from '../dialect.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import { readInput } from '../read-input.ts'
import { sentParams } from '../sent-params.ts'
import { urlReference } from '../url-reference.ts'
import {
  contentQuery,
  createBody,
  createForm,
  editBody,
  editForm,
  extensionBody,
  extensionForm,
  listQuery,
  remixBody,
  type Variant,
} from './schema.ts'

export function parseCreate(request: WireRequest): CreateInput {
  if (!isForm(request)) {
    const { input_reference: picture, ...body } = readInput(createBody, request.body)
    return { ...createInput(request, body), references: picture === undefined ? [] : [pictureByName(picture)] }
  }
  const { input_reference: file, ...body } = readInput(createForm, request.body)
  const { 'input_reference[image_url]': url, 'input_reference[file_id]': id } = body
  const references: AskedReference[] = []
  if (file !== undefined) references.push(uploaded('firstFrame', 'input_reference'))
  if (url !== undefined) references.push(urlReference('firstFrame', 'input_reference[image_url]', url))
  if (id !== undefined) references.push(fileReference('input_reference[file_id]', id))
  return { ...createInput(request, body), references: atMostOne(references) }
}

/** A remix is an edit of the video whose id is in the path. */
export function parseRemix(request: WireRequest): CreateInput {
  const body = readInput(remixBody, request.body)
  return {
    ...everyInput(request, body),
    operation: 'edit',
    references: [videoReference('id', parseVideoId(request).id)],
  }
}

export function parseEdit(request: WireRequest): CreateInput {
  const { body, references } = readSource(request, editBody, editForm)
  return { ...everyInput(request, body), operation: 'edit', references }
}

export function parseExtension(request: WireRequest): CreateInput {
  const { body, references } = readSource(request, extensionBody, extensionForm)
  const params = sentParams({ seconds: body.seconds })
  return { ...everyInput(request, body), operation: 'extend', params, references }
}

/** Reads a body that names a video, which in a form is a field of its own or the file itself. */
function readSource<Body extends typeof editBody, Form extends typeof editForm>(
  request: WireRequest,
  bodySchema: Body,
  formSchema: Form,
): { body: z.infer<Body> | z.infer<Form>; references: readonly AskedReference[] } {
  if (!isForm(request)) {
    const body = readInput(bodySchema, request.body)
    return { body, references: [videoReference('video.id', body.video.id)] }
  }
  const body = readInput(formSchema, request.body)
  const references: AskedReference[] = []
  if (body.video !== undefined) references.push(uploaded('source', 'video'))
  if (body['video[id]'] !== undefined) references.push(videoReference('video[id]', body['video[id]']))
  return { body, references: atMostOne(references) }
}

function isForm({ headers }: WireRequest): boolean {
  const contentType = headers['content-type']
  return typeof contentType === 'string' && contentType.toLowerCase().startsWith('multipart/form-data')
}

/** What is read alike from every body. */
function everyInput(request: WireRequest, { model, prompt }: { model: string; prompt: string }): CreateInput {
  return {
    model,
    prompt,
    params: {},
    paramsPath: '',
    clientRequestId: undefined,
    idempotencyKey: readIdempotencyKey(request),
  }
}

function createInput(
  request: WireRequest,
  body: { model: string; prompt: string; seconds?: string | undefined; size?: string | undefined },
): CreateInput {
  return { ...everyInput(request, body), params: sentParams({ seconds: body.seconds, size: body.size }) }
}

function pictureByName(picture: NonNullable<z.infer<typeof createBody>['input_reference']>): AskedReference {
  if ('file_id' in picture) return fileReference('input_reference.file_id', picture.file_id)
  return urlReference('firstFrame', 'input_reference.image_url', picture.image_url)
}

/** The file of the form's field of that name. */
function uploaded(role: ReferenceRole, field: string): AskedReference {
  return { role, field, origin: { kind: 'upload', part: field } }
}

function fileReference(field: string, id: string): AskedReference {
  return { role: 'firstFrame', field, origin: { kind: 'file', id } }
}

function videoReference(field: string, id: string): AskedReference {
  return { role: 'source', field, origin: { kind: 'task', id } }
}

/** A form can say in several fields where its one file is. */
function atMostOne(references: readonly AskedReference[]): readonly AskedReference[] {
  const [first, second] = references
  if (first === undefined || second === undefined) return references
  const allowed = `one of ${first.field} and ${second.field}`
  const message = `${second.field} cannot be used: it cannot stand beside ${first.field}; allowed: ${allowed}.`
  throw new Refusal('invalid_field', message, { detail: { field: second.field, allowed } })
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
