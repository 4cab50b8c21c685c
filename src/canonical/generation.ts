/** The vocabulary of what a customer can ask for, after a dialect and the catalog have read it. */
import type { Reference } from './reference.ts'

export const ASPECT_RATIOS = ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3'] as const
export type AspectRatio = (typeof ASPECT_RATIOS)[number]

export const RESOLUTIONS = ['480p', '720p', '1080p'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

export const MODES = ['fun', 'normal', 'spicy'] as const
export type Mode = (typeof MODES)[number]

export const OPERATIONS = [
  /** A new video, from words and maybe pictures. */
  'generate',
  /** The source video, changed as the prompt says: as long as it was, with its sound. */
  'edit',
  /** The source video, and after it as many seconds more as were asked for. */
  'extend',
] as const
export type Operation = (typeof OPERATIONS)[number]

/** A request that has been validated in full: what a provider is given. */
export interface GenerationRequest {
  /** The model's id in the catalog, e.g. `grok-imagine-video`. */
  readonly model: string
  readonly operation: Operation
  /** Unicode text, already bounded by the model's prompt limit. Empty only where a picture speaks for itself. */
  readonly prompt: string
  /**
   * Seconds of video that are made and quoted: whole, but for an edit, which is as long as its source. An extension
   * counts the seconds that are added; see `outputSeconds` for the length of the file.
   */
  readonly durationSeconds: number
  readonly resolution: Resolution
  /** `source`: that of the first reference with a picture; see `frameSize`. */
  readonly aspectRatio: AspectRatio | 'source'
  readonly mode: Mode
  /** 0 … 2^32 − 1. Chosen at creation when the caller sent none, so that an attempt can be repeated exactly. */
  readonly seed: number
  /** In the order in which the caller named them. An edit and an extension have exactly one, whose role is `source`. */
  readonly references: readonly Reference[]
}

/** The reference with the given role, if the request has one; the first, if it has several. */
export function referenceOf(request: GenerationRequest, role: Reference['role']): Reference | undefined {
  return request.references.find((reference) => reference.role === role)
}

/** Length of the video that the request ends in, in seconds: with the source, where that is extended. */
export function outputSeconds(request: GenerationRequest): number {
  const source = request.operation === 'extend' ? referenceOf(request, 'source')?.durationSeconds : undefined
  return request.durationSeconds + (source ?? 0)
}

/**
 * Pixel size of a video: the resolution names the short side, the ratio gives the other, rounded to an even number as
 * 4:2:0 video needs. 480p at 2:3 is 480 × 720; 720p at 16:9 is 1280 × 720.
 */
export function pixelSize(resolution: Resolution, ratio: AspectRatio): { width: number; height: number } {
  const short = Number.parseInt(resolution, 10)
  const [across = 1, down = 1] = ratio.split(':').map(Number)
  const long = 2 * Math.round((short * Math.max(across, down)) / Math.min(across, down) / 2)
  return across >= down ? { width: long, height: short } : { width: short, height: long }
}

/** A picture longer than this is cropped to it: 21:9, the widest that players and upstreams are made for. */
const LONGEST_RATIO = 21 / 9

/**
 * Pixel size of the video that a request ends in. With the ratio `source`, a generation has the shape of its picture and
 * the short side of its resolution; an edit or extension has the size of its source, made smaller if its short side
 * exceeds the resolution, and never larger.
 */
export function frameSize(request: GenerationRequest): { width: number; height: number } {
  if (request.aspectRatio !== 'source') return pixelSize(request.resolution, request.aspectRatio)
  const picture = request.references.find(({ width, height }) => width !== undefined && height !== undefined)
  const { width, height } = picture ?? {}
  if (width === undefined || height === undefined)
    throw new Error('the request has the ratio of a picture that it lacks')
  const short = Number.parseInt(request.resolution, 10)
  if (request.operation !== 'generate') {
    const scale = Math.min(1, short / Math.min(width, height))
    return { width: even(width * scale), height: even(height * scale) }
  }
  const long = even(short * Math.min(LONGEST_RATIO, Math.max(width, height) / Math.min(width, height)))
  return width >= height ? { width: long, height: short } : { width: short, height: long }
}

function even(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2))
}

/** Every size that `pixelSize` gives, as `<width>x<height>`, with what gives it. */
export const SIZES: ReadonlyMap<string, { readonly resolution: Resolution; readonly aspectRatio: AspectRatio }> =
  new Map(
    RESOLUTIONS.flatMap((resolution) =>
      ASPECT_RATIOS.map((aspectRatio) => {
        const { width, height } = pixelSize(resolution, aspectRatio)
        return [`${width}x${height}`, { resolution, aspectRatio }] as const
      }),
    ),
  )
