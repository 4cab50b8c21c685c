/** The vocabulary of what a customer can ask for, after a dialect and the catalog have read it. */

export const ASPECT_RATIOS = ['1:1', '16:9', '9:16', '4:3', '3:4', '3:2', '2:3'] as const
export type AspectRatio = (typeof ASPECT_RATIOS)[number]

export const RESOLUTIONS = ['480p', '720p', '1080p'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

export const MODES = ['fun', 'normal', 'spicy'] as const
export type Mode = (typeof MODES)[number]

/** A request that has been validated in full: what a provider is given. */
export interface GenerationRequest {
  /** The model's id in the catalog, e.g. `grok-imagine-video`. */
  readonly model: string
  /** Unicode text, already bounded by the model's prompt limit. */
  readonly prompt: string
  /** Whole seconds of video that were asked for and quoted. */
  readonly durationSeconds: number
  readonly resolution: Resolution
  readonly aspectRatio: AspectRatio
  readonly mode: Mode
  /** 0 … 2^32 − 1. Chosen at creation when the caller sent none, so that an attempt can be repeated exactly. */
  readonly seed: number
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
