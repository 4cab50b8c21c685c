import { z } from 'zod'
import { ASPECT_RATIOS, type GenerationRequest, MODES, OPERATIONS, RESOLUTIONS } from '../../canonical/generation.ts'
import { type FileId, parseId, parseTaskId, type TaskId } from '../../canonical/ids.ts'
import type { JsonObject } from '../../canonical/json.ts'
import { REFERENCE_KINDS, REFERENCE_ROLES } from '../../canonical/reference.ts'

/**
 * The whole job. It is all that a poll needs, so a worker that never saw the job, after a crash or on another machine,
 * renders it again rather than losing it.
 */
export interface AnimaticOperation {
  readonly token: string
  readonly request: GenerationRequest
  /** Epoch milliseconds: what the sandbox's delays count from. */
  readonly startedAtMs: number
}

const referenceSchema = z.object({
  role: z.enum(REFERENCE_ROLES),
  fileId: z.custom<FileId>((value) => typeof value === 'string' && parseId('file', value) !== undefined),
  kind: z.enum(REFERENCE_KINDS),
  mimeType: z.string(),
  sizeBytes: z.int().positive(),
  sha256: z.string(),
  storeKey: z.string(),
  width: z.int().positive().exactOptional(),
  height: z.int().positive().exactOptional(),
  durationSeconds: z.number().positive().exactOptional(),
  taskId: z.custom<TaskId>((value) => typeof value === 'string' && parseTaskId(value) !== undefined).exactOptional(),
})

const operationSchema = z.object({
  token: z.string().min(1),
  startedAtMs: z.number(),
  request: z.object({
    model: z.string(),
    operation: z.enum(OPERATIONS),
    prompt: z.string(),
    durationSeconds: z.number().positive(),
    resolution: z.enum(RESOLUTIONS),
    aspectRatio: z.enum([...ASPECT_RATIOS, 'source']),
    mode: z.enum(MODES),
    seed: z.int().nonnegative(),
    references: z.array(referenceSchema),
  }),
})

export function toOperation({ token, request, startedAtMs }: AnimaticOperation): JsonObject {
  const references = request.references.map((reference) => ({ ...reference }))
  return { token, request: { ...request, references }, startedAtMs }
}

/** Reads a stored operation back. Throws a TypeError for anything that `toOperation` did not write. */
export function readOperation(stored: JsonObject): AnimaticOperation {
  const parsed = operationSchema.safeParse(stored)
  if (parsed.success) return parsed.data
  throw new TypeError(`The animatic operation cannot be read: ${z.prettifyError(parsed.error)}`)
}
