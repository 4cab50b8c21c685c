import type { Colour } from '../paint/colour.ts'

/** What is done to brightness and colour. Two grades can be joined, and one can be applied in part. */
export interface ColourGrade {
  /** Stops: 1 is twice as bright. */
  readonly exposure: number
  /** Strength of an S-curve around the middle: 0 leaves it, below 0 it is flatter. */
  readonly contrast: number
  /** 0 is without colour, 1 as it was. */
  readonly saturation: number
  /** How far black is lifted, as a share of white. */
  readonly lift: number
  /** Steps of chroma (U, V) that are added to what is dark and to what is bright. */
  readonly shadows: Chroma
  readonly highlights: Chroma
}
export type Chroma = readonly [number, number]

export const UNGRADED: ColourGrade = {
  exposure: 0,
  contrast: 0,
  saturation: 1,
  lift: 0,
  shadows: [0, 0],
  highlights: [0, 0],
}

/** Both, one after the other. Where neither changes anything the answer is UNGRADED itself, and no pixel need be touched. */
export function joinGrades(first: ColourGrade, second: ColourGrade): ColourGrade {
  if (second === UNGRADED) return first
  if (first === UNGRADED) return second
  return {
    exposure: first.exposure + second.exposure,
    contrast: first.contrast + second.contrast,
    saturation: first.saturation * second.saturation,
    lift: Math.max(first.lift, second.lift),
    shadows: [first.shadows[0] + second.shadows[0], first.shadows[1] + second.shadows[1]],
    highlights: [first.highlights[0] + second.highlights[0], first.highlights[1] + second.highlights[1]],
  }
}

/** Pulls everything towards a colour, as a lamp of that colour would. */
export function tintGrade(colour: Colour): ColourGrade {
  const [u, v] = chromaOf(colour)
  return { ...UNGRADED, saturation: 0.62, shadows: [u * 0.32, v * 0.32], highlights: [u * 0.52, v * 0.52] }
}

/** A colour's chroma, U and V around 0 (BT.709, tv range). */
function chromaOf([red, green, blue]: Colour): Chroma {
  return [-0.1006 * red - 0.3386 * green + 0.4392 * blue, 0.4392 * red - 0.3989 * green - 0.0403 * blue]
}

/** A grade as tables over the 256 values of a plane. */
export interface GradeTables {
  readonly luma: Uint8Array
  /** Times 256, by chroma: what is left of it. */
  readonly chroma: Int32Array
  /** Times 256, by graded luma: what is added to U and V, with the middle of the range. */
  readonly tintU: Int32Array
  readonly tintV: Int32Array
}

/** The tables of a grade that is applied to a share, 0 to 1. */
export function gradeTables(grade: ColourGrade, share: number): GradeTables {
  const gain = 2 ** (grade.exposure * share)
  const saturation = 1 + (grade.saturation - 1) * share
  return {
    luma: Uint8Array.from({ length: 256 }, (_, luma) => gradeLuma(luma, { grade, share, gain })),
    chroma: Int32Array.from({ length: 256 }, (_, chroma) => Math.round((chroma - 128) * saturation * 256)),
    tintU: tintTable(grade.shadows[0] * share, grade.highlights[0] * share),
    tintV: tintTable(grade.shadows[1] * share, grade.highlights[1] * share),
  }
}

function gradeLuma(luma: number, { grade, share, gain }: { grade: ColourGrade; share: number; gain: number }): number {
  const value = Math.min(1, Math.max(0, (luma - 16) / 219))
  // Brighter light fills up towards white instead of being cut off there.
  const lit = gain >= 1 ? 1 - (1 - value) ** gain : value * gain
  const smooth = lit * lit * (3 - 2 * lit)
  const curved = lit + (smooth - lit) * grade.contrast * share
  const lift = grade.lift * share
  return Math.round(16 + 219 * Math.min(1, Math.max(0, lift + curved * (1 - lift * 1.15))))
}

function tintTable(shadow: number, highlight: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, luma) => {
    const value = Math.min(1, Math.max(0, (luma - 16) / 219))
    // Neither black nor white can hold a colour.
    const room = Math.min(1, value * 5) * Math.min(1, (1.06 - value) * 5)
    return Math.round((128 + (shadow + (highlight - shadow) * value) * room) * 256) + 128
  })
}
