import type { Size } from '../warp/fit.ts'
import type { Raster } from '../warp/raster.ts'
import { boxBlur, raster } from '../warp/raster.ts'
import { type CameraMotion, cameraMotion, NO_MOTION } from './camera-motion.ts'
import { lumaPyramid } from './luma-pyramid.ts'
import { type OwnMotion, ownMotion } from './own-motion.ts'

/** How all was moving when the source ended, for each frame. */
export interface Momentum {
  readonly camera: CameraMotion
  /** Nothing where nothing but the camera moved. */
  readonly own: OwnMotion | undefined
}

/** Pairs of frames before the end whose mean motion goes on: a jolt of a hand in one of them must not. */
const PAIRS = 4

/** Measures the motion of the last frames of a source (I420 planes, in order). */
export function measureMomentum(frames: readonly Uint8Array[], size: Size): Momentum {
  const pyramids = frames.slice(-PAIRS - 1).map((planes) => lumaPyramid(planes, size))
  const motions: CameraMotion[] = []
  const owns: OwnMotion[] = []
  for (const [index, after] of pyramids.entries()) {
    const before = pyramids[index - 1]
    if (before === undefined) continue
    const motion = cameraMotion(before, after)
    if (motion === undefined) {
      // Another shot began: what moved before it says nothing.
      motions.length = 0
      owns.length = 0
      continue
    }
    motions.push(motion)
    const own = ownMotion(before, after, motion)
    if (own !== undefined) owns.push(own)
  }
  return { camera: meanMotion(motions), own: meanOwn(owns) }
}

function meanMotion(motions: readonly CameraMotion[]): CameraMotion {
  if (motions.length === 0) return NO_MOTION
  const mean = (part: keyof CameraMotion) => motions.reduce((sum, motion) => sum + motion[part], 0) / motions.length
  return { zoom: mean('zoom'), turn: mean('turn'), right: mean('right'), down: mean('down') }
}

function meanOwn(owns: readonly OwnMotion[]): OwnMotion | undefined {
  const [first] = owns
  if (first === undefined) return undefined
  const mean = (part: keyof OwnMotion): Raster =>
    boxBlur(
      raster(first[part], (index) => owns.reduce((sum, own) => sum + (own[part].values[index] ?? 0), 0) / owns.length),
      1,
    )
  return { right: mean('right'), down: mean('down') }
}
