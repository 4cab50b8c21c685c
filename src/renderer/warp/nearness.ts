import type { Place } from './fit.ts'
import { boxBlur, guidedFilter, type Raster, raster, steepness, stretch } from './raster.ts'
import type { Sketch } from './sketch.ts'

/** How much each sign of nearness counts; they need not sum to 1, for the result is stretched. */
const SIGNS = { low: 0.5, detail: 0.15, colour: 0.1, subject: 0.35, sky: -0.3 }
/**
 * The most that nearness may change over the picture's long side, for each share of it. A camera move shifts near things
 * by about 0.05 of the side against far ones, so that even the steepest place is squeezed to no less than a half: nothing
 * is folded over or torn.
 */
const STEEPEST = 10

/** Share of the frame above which there is no ground in most pictures. */
const HORIZON = 0.52

/**
 * Estimates for each place of a picture how near it is, 0 far to 1 near, from what holds in most photographs: what is low
 * in the frame, sharp, colourful or the subject is near; what is calm from the upper edge down is sky. The edges of the
 * picture guide its smoothing, so that an object moves as one. It is a guess; the smoothness is what makes a wrong one
 * harmless.
 */
export function estimateNearness(of: Sketch, interest: Place): Raster {
  const { width, height } = of
  const sky = calmFromAbove(of)
  const rough = raster(of, (index) => {
    const [x, y] = [((index % width) + 0.5) / width, (Math.floor(index / width) + 0.5) / height]
    // From the subject down all is as near as it: it stands on the ground in front of the camera.
    const away = ((x - interest.x) / 0.26) ** 2 + (Math.min(0, y - interest.y) / 0.4) ** 2
    return (
      SIGNS.low * groundAt(y) +
      SIGNS.detail * Math.sqrt(of.detail.values[index] ?? 0) +
      SIGNS.colour * (of.saturation.values[index] ?? 0) +
      SIGNS.subject * Math.exp(-away) +
      SIGNS.sky * (sky.values[index] ?? 0)
    )
  })
  const reach = Math.max(1, Math.round(Math.max(width, height) / 14))
  const guided = guidedFilter(rough, of.luma, { radius: reach, softness: 0.002 })
  const again = guidedFilter(guided, of.luma, { radius: Math.ceil(reach / 2), softness: 0.002 })
  const soft = Math.max(1, Math.round(Math.max(width, height) / 96))
  return limitSteepness(stretch(boxBlur(boxBlur(boxBlur(again, soft), soft), soft), 0.02))
}

/**
 * How near the ground is at a height of the frame, 0 top to 1 bottom. Level above HORIZON: what stands there stands upright,
 * and would lean over in every sideways move if its upper end were farther than its foot.
 */
function groundAt(y: number): number {
  return Math.max(0, (y - HORIZON) / (1 - HORIZON)) ** 1.2
}

/** 1 where nothing was met on the way down from the upper edge, falling off with every edge that was. */
function calmFromAbove({ luma, blueness, width }: Sketch): Raster {
  const edges = steepness(luma)
  const values = new Float32Array(luma.values.length)
  for (const index of values.keys()) {
    const above = index < width ? 1 : (values[index - width] ?? 0)
    values[index] = above * Math.exp(-9 * (edges.values[index] ?? 0))
  }
  const airy = raster(luma, (index) => {
    const light = (luma.values[index] ?? 0) * 0.8 + Math.max(0, blueness.values[index] ?? 0)
    return (values[index] ?? 0) * Math.min(1, 0.25 + light)
  })
  return boxBlur(airy, 2)
}

/** Flattens a raster as a whole, around its mean, until it is nowhere steeper than allowed. */
function limitSteepness(of: Raster): Raster {
  const most = steepness(of).values.reduce((highest, value) => Math.max(highest, value), 0)
  const share = Math.min(1, STEEPEST / Math.max(1e-6, most * Math.max(of.width, of.height)))
  const mean = of.values.reduce((sum, value) => sum + value, 0) / of.values.length
  return raster(of, (index) => mean + ((of.values[index] ?? 0) - mean) * share)
}
