/** Rivya Public API v1: what its bodies and queries look like. Source: the vendor's model page and API reference. */
import { z } from 'zod'
import { storableText } from '../read-input.ts'

/** Documented by the vendor. */
const MAX_CLIENT_REQUEST_ID_CHARACTERS = 128

/** Page sizes of the list, which the vendor does not document: small enough to answer at once. */
const MAX_PAGE = 100
const DEFAULT_PAGE = 20

/** The vendor's words for where a task stands, and `canceled`, which is ours. */
export const RIVYA_STATUSES = ['queued', 'processing', 'succeeded', 'failed', 'canceled'] as const
export type RivyaStatus = (typeof RIVYA_STATUSES)[number]

/** A top-level `files` is refused like any unknown key: references belong in `params.referenceMediaItems`. */
export const createBody = z.strictObject({
  model: z.string(),
  prompt: storableText,
  params: z.record(z.string(), z.json()).optional(),
  client_request_id: storableText.max(MAX_CLIENT_REQUEST_ID_CHARACTERS).optional(),
})

export const listQuery = z.strictObject({
  limit: z
    .string()
    .refine((text) => /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_PAGE, {
      error: `a whole number from 1 to ${MAX_PAGE}`,
    })
    .transform(Number)
    .default(DEFAULT_PAGE),
  cursor: z.string().optional(),
  status: z.enum(RIVYA_STATUSES).optional(),
})
