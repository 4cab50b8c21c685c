/** What Rivya answers look like. The renderers are tested against these; the OpenAPI document is made from them. */
import { z } from 'zod'
import { REFERENCE_KINDS } from '../../canonical/reference.ts'
import { RIVYA_STATUSES } from './schema.ts'

const time = z.iso.datetime().describe('UTC, with milliseconds')

export const generation = z.strictObject({
  id: z.string().describe('task_ and 32 hex digits'),
  status: z.enum(RIVYA_STATUSES),
  model: z.string(),
  reserved_credits: z.int().nonnegative().describe('Held when the task was created'),
  final_credits: z.int().nonnegative().describe('Charged: 0 unless it succeeded'),
  created_at: time,
  updated_at: time,
  result: z.strictObject({ primary_url: z.url(), urls: z.array(z.url()) }).nullable(),
  error: z.strictObject({ code: z.enum(['generation_failed', 'result_expired']), message: z.string() }).nullable(),
})

export const generationList = z.strictObject({
  object: z.literal('list'),
  data: z.array(generation),
  next_cursor: z.string().nullable().describe('Give it as cursor to read on; null at the end'),
})

export const file = z.strictObject({
  id: z.string().describe('file_ and 32 hex digits'),
  object: z.literal('file'),
  kind: z.enum(REFERENCE_KINDS),
  url: z.url().describe('For params.referenceMediaItems; read the file again for a fresh one'),
  name: z.string(),
  mime_type: z.string().describe('Found in the bytes, whatever was declared'),
  size_bytes: z.int().positive(),
  width: z.int().positive().nullable().describe('Pixels as displayed'),
  height: z.int().positive().nullable(),
  duration_seconds: z.number().positive().nullable().describe('Measured; of videos and audio'),
  duration_token: z.string().nullable().describe('For durationToken of a reference; of videos and audio'),
  created_at: time,
  expires_at: time,
})

export const fileList = z.strictObject({
  object: z.literal('list'),
  data: z.array(file.omit({ duration_token: true })).describe('Without duration_token: read the file for it'),
  next_cursor: z.string().nullable().describe('Give it as cursor to read on; null at the end'),
})

export const deletedFile = z.strictObject({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })

export const credits = z.strictObject({ current_credits: z.int().nonnegative() })

const referenceMedia = z.strictObject({
  key: z.string().describe('The parameter in which it stands'),
  max_items: z.int().positive(),
  kinds: z.array(
    z.strictObject({
      kind: z.enum(REFERENCE_KINDS),
      max_bytes: z.int().positive(),
      mime_types: z.array(z.string()),
    }),
  ),
  description: z.string(),
})

const parameter = z.object({
  key: z.string(),
  type: z.enum(['select', 'number', 'text']),
  required: z.boolean(),
  description: z.string(),
  default: z.union([z.string(), z.number()]).nullable(),
  options: z.array(z.string()).optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  step: z.number().optional(),
  max_length: z.int().optional(),
})

export const modelList = z.strictObject({
  object: z.literal('list'),
  data: z.array(
    z.strictObject({
      id: z.string(),
      display_name: z.string(),
      category: z.string(),
      runtime: z.literal('async_task'),
      base_credits: z.int().nullable(),
      billing_type: z.enum(['FIXED', 'PER_SECOND']),
      supported_modes: z.array(z.string()),
      max_prompt_length: z.int().describe('Unicode code points'),
      reference_media: referenceMedia.nullable(),
      params: z.array(parameter),
      api_status: z.enum(['available', 'coming_soon', 'studio_only']),
      api_input_status: z.enum([
        'available_text',
        'available_url_input',
        'partial_requires_files',
        'requires_files_api',
      ]),
      supported_api_inputs: z.array(z.string()),
      requires_files_api: z.boolean(),
      requires_upload_for_modes: z.array(z.string()),
      url_input_supported: z.boolean(),
      file_kinds: z.array(z.string()),
      notices: z.array(z.string()),
    }),
  ),
})

export const error = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string().describe('Names the field, the value and what is allowed'),
    requestId: z.string(),
  }),
})
