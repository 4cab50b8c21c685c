import { ASPECT_RATIOS, type GenerationRequest, MODES, RESOLUTIONS } from '../../canonical/generation.ts'
import { isJsonObject, type Json, type JsonObject } from '../../canonical/json.ts'

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

export function toOperation({ token, request, startedAtMs }: AnimaticOperation): JsonObject {
  return { token, request: { ...request }, startedAtMs }
}

/** Reads a stored operation back. Throws a TypeError for anything that `toOperation` did not write. */
export function readOperation(stored: JsonObject): AnimaticOperation {
  const { token, request, startedAtMs } = stored
  if (typeof token !== 'string' || token === '') throw malformed('token')
  if (typeof startedAtMs !== 'number' || !Number.isFinite(startedAtMs)) throw malformed('startedAtMs')
  if (!isJsonObject(request)) throw malformed('request')
  return { token, request: readRequest(request), startedAtMs }
}

function readRequest(stored: JsonObject): GenerationRequest {
  const { model, prompt, durationSeconds, seed } = stored
  if (typeof model !== 'string') throw malformed('request.model')
  if (typeof prompt !== 'string') throw malformed('request.prompt')
  if (!isWhole(durationSeconds) || durationSeconds < 1) throw malformed('request.durationSeconds')
  if (!isWhole(seed) || seed < 0) throw malformed('request.seed')
  return {
    model,
    prompt,
    durationSeconds,
    seed,
    resolution: oneOf(RESOLUTIONS, stored['resolution'], 'request.resolution'),
    aspectRatio: oneOf(ASPECT_RATIOS, stored['aspectRatio'], 'request.aspectRatio'),
    mode: oneOf(MODES, stored['mode'], 'request.mode'),
  }
}

function isWhole(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

function oneOf<Name extends string>(names: readonly Name[], value: Json | undefined, field: string): Name {
  const found = names.find((name) => name === value)
  if (found === undefined) throw malformed(field)
  return found
}

function malformed(field: string): TypeError {
  return new TypeError(`The animatic operation has no valid ${field}.`)
}
