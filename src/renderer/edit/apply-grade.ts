import { GRAIN_MASK, GRAIN_SIDE, grainPlace } from '../paint/i420.ts'
import type { GradeTables } from './colour-grade.ts'

export interface GradeOptions {
  readonly width: number
  readonly height: number
  readonly tables: GradeTables
  /** 0 (black) to 256 (as it was), one for each square of 2 × 2 pixels. */
  readonly vignette: Uint16Array
  /** Grain in sixteenths of a step, around a half of one: a tile like that of `grainTile`. */
  readonly grain: Int16Array
}

/**
 * Grades planes where they stand, with vignette and grain, in one pass. `as number` stands where the index is within
 * bounds by construction.
 */
export function applyGrade(planes: Uint8Array, frame: number, options: GradeOptions): void {
  const { width, height, vignette, grain } = options
  const { luma, chroma, tintU, tintV } = options.tables
  const pixels = width * height
  const quarter = pixels >> 2
  const place = grainPlace(frame)
  let block = 0
  for (let row = 0; row < height; row += 2) {
    const grainRow = ((row + place.down) & GRAIN_MASK) * GRAIN_SIDE
    const grainNext = ((row + 1 + place.down) & GRAIN_MASK) * GRAIN_SIDE
    let at = row * width
    for (let column = place.across; column < width + place.across; column += 2) {
      const left = column & GRAIN_MASK
      const right = (column + 1) & GRAIN_MASK
      const light = vignette[block] as number
      const below = at + width
      const a = ((luma[planes[at] as number] as number) - 16) * light
      const b = ((luma[planes[at + 1] as number] as number) - 16) * light
      const c = ((luma[planes[below] as number] as number) - 16) * light
      const d = ((luma[planes[below + 1] as number] as number) - 16) * light
      planes[at] = clampLuma(((a >> 4) + 256 + (grain[grainRow + left] as number)) >> 4)
      planes[at + 1] = clampLuma(((b >> 4) + 256 + (grain[grainRow + right] as number)) >> 4)
      planes[below] = clampLuma(((c >> 4) + 256 + (grain[grainNext + left] as number)) >> 4)
      planes[below + 1] = clampLuma(((d >> 4) + 256 + (grain[grainNext + right] as number)) >> 4)
      const bright = 16 + ((a + d) >> 9)
      const u = pixels + block
      const v = u + quarter
      planes[u] = clampChroma(((chroma[planes[u] as number] as number) + (tintU[bright] as number)) >> 8)
      planes[v] = clampChroma(((chroma[planes[v] as number] as number) + (tintV[bright] as number)) >> 8)
      at += 2
      block += 1
    }
  }
}

function clampLuma(value: number): number {
  return value < 16 ? 16 : Math.min(value, 235)
}

function clampChroma(value: number): number {
  return value < 16 ? 16 : Math.min(value, 240)
}

/** A vignette of the given strength, 0 to 1, for squares of 2 × 2 pixels. */
export function vignetteOf(width: number, height: number, strength: number): Uint16Array {
  const [columns, rows] = [width / 2, height / 2]
  return Uint16Array.from({ length: columns * rows }, (_, index) => {
    const across = ((index % columns) + 0.5) / columns - 0.5
    const down = (Math.floor(index / columns) + 0.5) / rows - 0.5
    const far = (across * across + down * down) * 2
    return Math.round(256 * (1 - 0.62 * strength * far * (1.7 - 0.7 * far)))
  })
}
