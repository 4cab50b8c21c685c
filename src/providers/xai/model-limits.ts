import type { GenerationRequest, Resolution } from '../../canonical/generation.ts'
import { MAX_REFERENCE_BYTES } from '../upstream/reference-bytes.ts'

/** What the vendor documents of one family of its models, and what it charges. */
export interface ModelLimits {
  /** Millionths of a US dollar for a second of video, by resolution; what is not here it does not make. */
  readonly microUsdPerSecond: Readonly<Partial<Record<Resolution, number>>>
  readonly microUsdPerImage: number
  readonly microUsdPerSourceSecond: number
  readonly takesLastFrame: boolean
  /** With pictures to go by: how many, and how long and large the video may be. */
  readonly references: { readonly max: number; readonly seconds: number; readonly resolutions: readonly Resolution[] }
  /** Whether it edits and extends videos. */
  readonly takesSources: boolean
}

const BASE: ModelLimits = {
  microUsdPerSecond: { '480p': 50_000, '720p': 70_000 },
  microUsdPerImage: 2_000,
  microUsdPerSourceSecond: 10_000,
  takesLastFrame: false,
  references: { max: 7, seconds: 10, resolutions: ['480p', '720p'] },
  takesSources: true,
}

const VERSION_1_5: ModelLimits = {
  microUsdPerSecond: { '480p': 80_000, '720p': 140_000, '1080p': 250_000 },
  microUsdPerImage: 10_000,
  microUsdPerSourceSecond: 10_000,
  takesLastFrame: true,
  references: { max: 14, seconds: 15, resolutions: ['480p', '720p'] },
  takesSources: false,
}

/** `grok-imagine-video-1.5` has two aliases that begin like it. */
export function limitsOf(model: string): ModelLimits | undefined {
  if (model === 'grok-imagine-video') return BASE
  return /^grok-imagine-video-1\.5(-|$)/.test(model) ? VERSION_1_5 : undefined
}

const MAX_PROMPT_CHARACTERS = 4_096
const MAX_EDITED_SECONDS = 8.7
const EXTENDED_SECONDS = { min: 2, max: 15 }
const ADDED_SECONDS = { min: 2, max: 10 }
/** Of a request's files together: a start holds them as bytes, as base64 and in the body, up to four times as much. */
const MAX_FILES_BYTES = 50 * 1024 * 1024
const PICTURES: readonly string[] = ['image/jpeg', 'image/png', 'image/webp']

/** Whether the vendor documents that this model makes it. */
export function takesRequest(request: GenerationRequest, model: string): boolean {
  const limits = limitsOf(model)
  if (limits === undefined || [...request.prompt].length > MAX_PROMPT_CHARACTERS) return false
  if (request.references.some(({ kind, sizeBytes }) => sizeBytes > MAX_REFERENCE_BYTES[kind])) return false
  if (request.references.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0) > MAX_FILES_BYTES) return false
  return request.operation === 'generate' ? takesGeneration(request, limits) : takesSource(request, limits)
}

function takesGeneration({ references, durationSeconds, resolution }: GenerationRequest, limits: ModelLimits): boolean {
  if (limits.microUsdPerSecond[resolution] === undefined) return false
  if (!Number.isInteger(durationSeconds)) return false
  if (references.some(({ kind, mimeType }) => kind !== 'image' || !PICTURES.includes(mimeType))) return false
  const count = (role: string) => references.filter((reference) => reference.role === role).length
  if (count('source') > 0 || count('firstFrame') > 1 || count('lastFrame') > (limits.takesLastFrame ? 1 : 0))
    return false
  const { max, seconds, resolutions } = limits.references
  if (count('reference') === 0) return true
  return (
    references.length === count('reference') &&
    references.length <= max &&
    durationSeconds <= seconds &&
    resolutions.includes(resolution)
  )
}

/** An edit has length, shape and size of its source, 720p at most; only MP4 is read. */
function takesSource(request: GenerationRequest, { takesSources }: ModelLimits): boolean {
  const [source, ...more] = request.references
  if (!takesSources || source?.role !== 'source' || source.mimeType !== 'video/mp4' || more.length > 0) return false
  if (request.aspectRatio !== 'source' || request.resolution === '1080p') return false
  const { durationSeconds } = source
  if (durationSeconds === undefined) return false
  if (request.operation === 'edit') return durationSeconds <= MAX_EDITED_SECONDS
  return isWithin(durationSeconds, EXTENDED_SECONDS) && isWithin(request.durationSeconds, ADDED_SECONDS)
}

function isWithin(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return value >= min && value <= max
}

/** What xAI charges for a request by its list prices, in millionths of a US dollar; `undefined` for a model it has not. */
export function listPrice(request: GenerationRequest, model: string): number | undefined {
  const limits = limitsOf(model)
  const perSecond = limits?.microUsdPerSecond[request.resolution]
  if (limits === undefined || perSecond === undefined) return undefined
  const images = request.references.filter(({ kind }) => kind === 'image').length
  const sourceSeconds = request.references.reduce(
    (sum, { role, durationSeconds = 0 }) => sum + (role === 'source' ? durationSeconds : 0),
    0,
  )
  return Math.round(
    perSecond * request.durationSeconds +
      limits.microUsdPerImage * images +
      limits.microUsdPerSourceSecond * sourceSeconds,
  )
}
