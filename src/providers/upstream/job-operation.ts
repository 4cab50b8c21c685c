import { z } from 'zod'
import type { JsonObject } from '../../canonical/json.ts'
import { BlamelessError } from '../provider.ts'

/** Ids are words; what is longer than this is no id but a whole page. */
const MAX_ID_CHARACTERS = 500

/** The id of a job as an upstream gave it: fit to stand in a path, once it is escaped. */
export const jobId = z
  .string()
  .min(1)
  .max(MAX_ID_CHARACTERS)
  .refine((id) => id !== '.' && id !== '..', { error: 'an id, not a way in a path' })
  .refine((id) => !id.includes('\0') && id.isWellFormed(), { error: 'an id that can be stored' })

/** All that is known of a job at an upstream: its id there, and which of our keys it was started with. */
export interface JobOperation {
  readonly id: string
  /** As `Upstream.credential` told; `undefined` where there was no key. */
  readonly credential: string | undefined
}

const stored = z.object({ id: jobId, credential: z.string().nullish() })

/** The operation of a job that was accepted, as it is stored. */
export function toJobOperation({ id, credential }: JobOperation): JsonObject {
  return { id, credential: credential ?? null }
}

/**
 * Reads a stored operation back; one that an operator wrote for a job that was in doubt may be the id alone.
 * @throws BlamelessError for anything else: no provider is to blame for what we stored.
 */
export function readJobOperation(operation: JsonObject): JobOperation {
  const parsed = stored.safeParse(operation)
  if (!parsed.success) throw new BlamelessError(`The operation cannot be read: ${z.prettifyError(parsed.error)}`)
  return { id: parsed.data.id, credential: parsed.data.credential ?? undefined }
}
