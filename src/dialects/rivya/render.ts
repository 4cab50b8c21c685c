import type { CustomerFile, FilePage } from '../../canonical/customer-file.ts'
import type { JsonObject } from '../../canonical/json.ts'
import type { Model, Parameter, ReferencePolicy } from '../../canonical/model.ts'
import type { Task, TaskPage } from '../../canonical/task.ts'
import type { TaskState } from '../../canonical/task-state.ts'
import type { JsonAnswer, RenderContext, StatedFile } from '../dialect.ts'
import type { RivyaStatus } from './schema.ts'

const STATUS_OF: Readonly<Record<TaskState, RivyaStatus>> = {
  queued: 'queued',
  submitting: 'processing',
  running: 'processing',
  collecting: 'processing',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
  expired: 'failed',
}

export function renderCreated(
  { task, replayed }: { task: Task; replayed: boolean },
  context: RenderContext,
): JsonAnswer {
  const answer = { status: 200, body: taskObject(asCreated(task), context) }
  return replayed ? { ...answer, headers: { 'idempotent-replayed': 'true' } } : answer
}

/** A task as it was when it was created: so a repeated create gets the first answer again, to the letter. */
function asCreated(task: Task): Task {
  return { ...task, state: 'queued', finalCredits: 0n, failure: undefined, media: [], updatedAt: task.createdAt }
}

/** The two headers are ours: the documented task object has no place for what they tell. */
export function renderTask(task: Task, context: RenderContext): JsonAnswer {
  const headers = { 'generation-progress': String(task.progress) }
  return {
    status: 200,
    headers: task.queuePosition === undefined ? headers : { ...headers, 'queue-position': String(task.queuePosition) },
    body: taskObject(task, context),
  }
}

export function renderPage(page: TaskPage, context: RenderContext): JsonAnswer {
  const data = page.tasks.map((task) => taskObject(task, context))
  return {
    status: 200,
    body: { object: 'list', data, next_cursor: page.hasMore ? (page.tasks.at(-1)?.id ?? null) : null },
  }
}

export function renderBalance({ availableCredits }: { availableCredits: bigint }): JsonAnswer {
  return { status: 200, body: { current_credits: Number(availableCredits) } }
}

export function renderModels(models: readonly Model[]): JsonAnswer {
  return { status: 200, body: { object: 'list', data: models.map(modelObject) } }
}

export function renderFile({ file, durationToken }: StatedFile, context: RenderContext): JsonAnswer {
  return { status: 200, body: { ...fileObject(file, context), duration_token: durationToken ?? null } }
}

export function renderFilePage(page: FilePage, context: RenderContext): JsonAnswer {
  const data = page.files.map((file) => fileObject(file, context))
  return {
    status: 200,
    body: { object: 'list', data, next_cursor: page.hasMore ? (page.files.at(-1)?.id ?? null) : null },
  }
}

export function renderDeletedFile({ id }: CustomerFile): JsonAnswer {
  return { status: 200, body: { id, object: 'file', deleted: true } }
}

function fileObject(file: CustomerFile, { urlOf }: RenderContext): JsonObject {
  return {
    id: file.id,
    object: 'file',
    kind: file.kind,
    url: urlOf(file),
    name: file.name,
    mime_type: file.mimeType,
    size_bytes: file.sizeBytes,
    width: file.width ?? null,
    height: file.height ?? null,
    duration_seconds: file.durationSeconds ?? null,
    created_at: file.createdAt.toISOString(),
    expires_at: file.expiresAt.toISOString(),
  }
}

function taskObject(task: Task, context: RenderContext): JsonObject {
  return {
    id: task.id,
    status: STATUS_OF[task.state],
    model: task.model,
    reserved_credits: Number(task.priceCredits),
    final_credits: Number(task.finalCredits),
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    result: resultObject(task, context),
    error: errorObject(task),
  }
}

function resultObject(task: Task, { urlOf }: RenderContext): JsonObject | null {
  const urls = task.media.filter((media) => media.kind === 'video' && media.deletedAt === undefined).map(urlOf)
  return urls[0] === undefined ? null : { primary_url: urls[0], urls }
}

/** `result_expired` is ours: the vendor does not say what becomes of a video past its time. */
function errorObject(task: Task): JsonObject | null {
  if (task.failure !== undefined) return { code: 'generation_failed', message: task.failure.message }
  if (task.state === 'expired') {
    return {
      code: 'generation_failed',
      message: 'The generation took too long and was given up; its credits were returned.',
    }
  }
  const deletedAt = task.media.find((media) => media.kind === 'video')?.deletedAt
  if (deletedAt === undefined) return null
  return {
    code: 'result_expired',
    message: `The video was deleted on ${deletedAt.toISOString()}, when its time in storage was over.`,
  }
}

function modelObject(model: Model): JsonObject {
  const [policy] = model.references
  const hasReferences = policy !== undefined
  return {
    id: model.id,
    display_name: model.displayName,
    category: model.category,
    runtime: 'async_task',
    base_credits: model.billing.type === 'FIXED' ? model.billing.credits : null,
    billing_type: model.billing.type,
    supported_modes: model.supportedModes,
    max_prompt_length: model.maxPromptCharacters,
    reference_media: policy === undefined ? null : referenceMediaObject(policy),
    params: model.parameters.map(parameterObject),
    api_status: 'available',
    api_input_status: hasReferences ? 'available_url_input' : 'available_text',
    supported_api_inputs: hasReferences ? ['text', 'url'] : ['text'],
    // A reference is named by its URL, which may be of the Files API, and may be any other.
    requires_files_api: false,
    requires_upload_for_modes: [],
    url_input_supported: hasReferences,
    file_kinds: policy?.kinds.map(({ kind }) => kind) ?? [],
    notices: model.notices.map((notice) => notice.en ?? ''),
  }
}

/** The vendor documents the key and not what it has: these words are ours. */
function referenceMediaObject(policy: ReferencePolicy): JsonObject {
  return {
    key: policy.parameter,
    max_items: policy.maxFiles,
    kinds: policy.kinds.map(({ kind, maxBytes, mimeTypes }) => ({ kind, max_bytes: maxBytes, mime_types: mimeTypes })),
    description: policy.description.en ?? '',
  }
}

function parameterObject(parameter: Parameter): JsonObject {
  const base = {
    key: parameter.key,
    type: parameter.type,
    required: false,
    description: parameter.description.en ?? '',
  }
  switch (parameter.type) {
    case 'select':
      return { ...base, default: parameter.default, options: [...parameter.options] }
    case 'number':
      return {
        ...base,
        default: parameter.default ?? null,
        min: parameter.min,
        max: parameter.max,
        step: parameter.step,
      }
    case 'text':
      return { ...base, default: parameter.default ?? null, max_length: parameter.maxCharacters }
  }
}
