/** Rivya Public API v1: what its bodies and queries look like. Source: the vendor's model page and API reference. */
import { z } from 'zod'
import { REFERENCE_KINDS } from '../../canonical/reference.ts'
import { formFile } from '../form-file.ts'
import { pageLimit } from '../page-limit.ts'
import { storableText } from '../read-input.ts'

/** Documented by the vendor. */
const MAX_CLIENT_REQUEST_ID_CHARACTERS = 128

/** The vendor's words for where a task stands, and `canceled`, which is ours. */
export const RIVYA_STATUSES = ['queued', 'processing', 'succeeded', 'failed', 'canceled'] as const
export type RivyaStatus = (typeof RIVYA_STATUSES)[number]

/** What most file systems allow, and what `files` are called by at most. */
const MAX_NAME_CHARACTERS = 255

/** RFC 6838, 4.2: a type and a subtype of 127 characters each, at most. */
const MAX_MIME_TYPE_CHARACTERS = 255

/** Ours have some 400. */
const MAX_DURATION_TOKEN_CHARACTERS = 2_048

const clientRequestId = storableText.max(MAX_CLIENT_REQUEST_ID_CHARACTERS)

/** `name` and `mimeType` are for the caller's own overview: the file itself says what it is. */
const referenceMediaItem = z.strictObject({
  url: storableText.min(1),
  kind: z.enum(REFERENCE_KINDS),
  name: storableText.max(MAX_NAME_CHARACTERS).optional(),
  mimeType: storableText.max(MAX_MIME_TYPE_CHARACTERS).optional(),
  durationSeconds: z.number().nonnegative().optional(),
  /** The `duration_token` of the Files API. */
  durationToken: storableText.max(MAX_DURATION_TOKEN_CHARACTERS).optional(),
})
export type ReferenceMediaItem = z.infer<typeof referenceMediaItem>

/** A top-level `files` is refused like any unknown key: references belong in `params.referenceMediaItems`. */
export const createBody = z.strictObject({
  model: z.string(),
  prompt: storableText,
  params: z
    .object({ referenceMediaItems: z.array(referenceMediaItem).optional() })
    .catchall(z.json())
    .optional(),
  client_request_id: clientRequestId.optional(),
})

/** The field of the form of an upload that has the file. */
export const FILE_PART = 'file'

export const uploadBody = z.strictObject({
  [FILE_PART]: formFile,
  kind: z.enum(REFERENCE_KINDS),
  model: z.string().optional(),
  /** Documented; an upload costs nothing and makes no task, so there is nothing to tell by it. */
  client_request_id: clientRequestId.optional(),
})

export const fileListQuery = z.strictObject({
  limit: pageLimit,
  cursor: z.string().optional(),
})

export const listQuery = fileListQuery.extend({ status: z.enum(RIVYA_STATUSES).optional() })
